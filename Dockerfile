# The exporter alone, linked statically: nothing else is in the image but CA certificates.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
ARG TARGETARCH
ARG REVISION
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
ENV RUSTFLAGS="-C target-feature=+crt-static" \
    CARGO_TARGET_DIR=/target \
    REVISION=$REVISION
# A target by name: flags for the linker then do not reach build scripts and macros, which cannot be static.
RUN --mount=type=cache,target=/usr/local/cargo/registry,id=registry-$TARGETARCH \
    --mount=type=cache,target=/target,id=target-$TARGETARCH \
    host="$(rustc -vV | sed -n 's/^host: //p')" && \
    cargo build --locked --release --target "$host" && \
    cp "/target/$host/release/wolkvox_exporter" /wolkvox_exporter

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="wolkvox_exporter" \
      org.opencontainers.image.description="Prometheus exporter for Wolkvox contact centres" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /wolkvox_exporter /wolkvox_exporter
USER 65532:65532
EXPOSE 9963
ENTRYPOINT ["/wolkvox_exporter"]
