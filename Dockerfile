# Grantor alone, for a PostgreSQL that runs elsewhere:
#   docker build -t grantor .
#   docker run -e GRANTOR_ISSUER=https://login.example.com -e GRANTOR_DATABASE_URL=postgres://… \
#              -e GRANTOR_MASTER_KEY_FILE=/run/secrets/master.key -p 8080:8080 grantor

FROM rust:1.95-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/source/target \
    cargo build --locked --release --bin grantor && cp target/release/grantor /grantor
RUN mkdir -m 0700 /state

# The C library, CA certificates and an account without rights; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /grantor /usr/local/bin/grantor
COPY --from=build --chown=nonroot:nonroot /state /var/lib/grantor
ENV GRANTOR_STATE_DIR=/var/lib/grantor \
    GRANTOR_LISTEN=0.0.0.0:8080
VOLUME /var/lib/grantor
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["/usr/local/bin/grantor", "health"]
ENTRYPOINT ["/usr/local/bin/grantor"]
CMD ["serve"]
