# A node without a screen. docs/operating.md says how to run it.
#   docker build --tag ocf .

FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# Without scripts nothing of a package runs before it is locked in; the build is asked for below.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
RUN node node_modules/electron-vite/bin/electron-vite.js build \
    && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
# Nobody else shares loopback in a container, so the gateway listens on all its addresses, and asks for an API key:
# `ocf keys add NAME`. Which ports are published decides who reaches it.
ENV NODE_ENV=production \
    OCF_DATA_DIR=/data \
    OCF_HOST=0.0.0.0
WORKDIR /app
COPY --from=build /build/package.json /build/LICENSE /build/README.md ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/out ./out
COPY --from=build /build/src-main/launcher.mjs ./src-main/launcher.mjs
RUN ln -s /app/src-main/launcher.mjs /usr/local/bin/ocf \
    && install --directory --owner=node --group=node --mode=0700 /data
USER node
# The identity, the node table and what the node keeps besides.
VOLUME /data
# The gateway, for apps; TCP, WebSocket and QUIC, for other nodes. The dashboard (8093) stays inside.
EXPOSE 8092/tcp 43905/tcp 43906/tcp 59820/udp
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.OCF_PORT ?? 8092}/v1/health`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["ocf"]
CMD ["start"]
