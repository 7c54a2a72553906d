# Node runs the TypeScript sources themselves: there is no build step, only an installation without development dependencies.
FROM node:26-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional dependencies are Node itself, for machines with an older one; the base image has it.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM node:26-bookworm-slim
ENV NODE_ENV=production NODE_COMPILE_CACHE=/var/cache/paircast
WORKDIR /var/lib/paircast
RUN mkdir -p /etc/paircast /var/cache/paircast && chown node:node /var/lib/paircast /var/cache/paircast
COPY --from=dependencies /app/node_modules /app/node_modules
COPY package.json /app/
COPY clients /app/clients
COPY src /app/src
USER node
# Fills the compile cache, and proves that the program starts as this user.
RUN ["node", "/app/src/main.ts", "--version"]

VOLUME /var/lib/paircast
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
# PORT: the player listener's port, where the configuration moves it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT ?? 8080}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--min-semi-space-size=4", "/app/src/main.ts"]
CMD ["serve", "--config", "/etc/paircast/paircast.yaml"]
