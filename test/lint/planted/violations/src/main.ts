import "@azure/identity"; //! eslint(no-restricted-imports) @azure/* and @aws-sdk/* only
import "hono"; //! eslint(no-restricted-imports) hono only
