import "@azure/identity"; //! eslint(no-restricted-imports) @azure/* only
import "hono"; //! eslint(no-restricted-imports) hono only
