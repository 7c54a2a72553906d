import "./sandbox/command.ts"; //! eslint(no-restricted-imports) Only main.ts's sandbox command
import "@azure/storage-blob"; //! eslint(no-restricted-imports) @azure/* and @aws-sdk/* only
import "hono"; //! eslint(no-restricted-imports) hono only
import "@hono/node-server"; //! eslint(no-restricted-imports) hono only
