# The one way to the static binary. What tarballs and the Debian package contain comes from here too:
#   docker build --target binary --output dist .
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
ARG TARGETARCH
ARG REVISION
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_TARGET_DIR=/target \
    REVISION=$REVISION
# A target by name: flags for the linker then do not reach build scripts and macros, which cannot be static.
RUN --mount=type=cache,target=/usr/local/cargo/registry,id=registry-$TARGETARCH \
    --mount=type=cache,target=/target,id=target-$TARGETARCH \
    host="$(rustc --print host-tuple)" && \
    gcc -O2 -c -o /resolver.o deploy/image/resolver.c && \
    cargo rustc --locked --release --target "$host" --bin wolkvox_exporter -- \
      -C link-arg=/resolver.o -C link-arg=-Wl,--wrap=__libc_dlopen_mode && \
    cp "/target/$host/release/wolkvox_exporter" /wolkvox_exporter
RUN mkdir -p /state /layout/etc/wolkvox_exporter /layout/var/lib

FROM scratch AS binary
COPY --from=build /wolkvox_exporter /wolkvox_exporter

# The exporter alone, linked statically: nothing else is in the image but CA certificates.
FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wolkvox_exporter" \
      org.opencontainers.image.description="Prometheus exporter for Wolkvox contact centres" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /layout /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /wolkvox_exporter /wolkvox_exporter
# A new volume takes its owner from here. None is declared: an unnamed one would be made unasked, and lost unseen.
COPY --from=build --chown=65532:65532 /state /var/lib/wolkvox_exporter
USER 65532:65532
EXPOSE 9963
# Where wolkvox.yml is found without a flag.
WORKDIR /etc/wolkvox_exporter
ENTRYPOINT ["/wolkvox_exporter"]
