# The only way to build the static binary; tarballs and the Debian package use it too:
#   docker build --target binary --output dist .
# The digest is that of the list of all architectures: docker buildx imagetools inspect rust:1.95-slim-bookworm
FROM rust:1.95-slim-bookworm@sha256:d7482085ff5b415f84dba5647ae71606650bdef00db7aeb69f4b3d170c3e4082 AS build
ARG TARGETARCH
# Writes into the binary which crates it is built from. It does little, so optimising it would take longer than it runs.
RUN --mount=type=cache,target=/usr/local/cargo/registry,id=registry-$TARGETARCH \
    cargo install --debug --locked cargo-auditable@0.7.7
WORKDIR /src
COPY . .
ARG REVISION
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_TARGET_DIR=/target \
    REVISION=$REVISION
# Naming the target keeps linker flags away from build scripts and macros, which cannot be static.
RUN --mount=type=cache,target=/usr/local/cargo/registry,id=registry-$TARGETARCH \
    --mount=type=cache,target=/target,id=target-$TARGETARCH \
    host="$(rustc --print host-tuple)" && \
    gcc -O2 -c -o /resolver.o deploy/image/resolver.c && \
    cargo auditable rustc --locked --release --target "$host" --bin wolkvox_exporter -- \
      -C link-arg=/resolver.o -C link-arg=-Wl,--wrap=__libc_dlopen_mode && \
    cp "/target/$host/release/wolkvox_exporter" /wolkvox_exporter
RUN mkdir -p /state /layout/etc/wolkvox_exporter /layout/var/lib

FROM scratch AS binary
COPY --from=build /wolkvox_exporter /wolkvox_exporter

# The image contains only the static exporter and CA certificates.
FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wolkvox_exporter" \
      org.opencontainers.image.description="Prometheus exporter for Wolkvox contact centres" \
      org.opencontainers.image.source="https://github.com/wolkvox-exporter/wolkvox_exporter" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /layout /
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /wolkvox_exporter /wolkvox_exporter
# A new volume takes its owner from here. No VOLUME: that would create an anonymous volume, which is easily lost.
COPY --from=build --chown=65532:65532 /state /var/lib/wolkvox_exporter
USER 65532:65532
EXPOSE 9963
# wolkvox.yml is found here without a flag.
WORKDIR /etc/wolkvox_exporter
HEALTHCHECK --interval=30s --timeout=6s CMD ["/wolkvox_exporter", "health"]
ENTRYPOINT ["/wolkvox_exporter"]
