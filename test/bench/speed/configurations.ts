/** Configuration of the peers. `redirect`: 302 to the first origin with path and query; `keys`: `/keys/…` proxied to it over kept connections. */

export type Task = "redirect" | "keys";

interface Peer {
  readonly task: Task;
  readonly origins: readonly [string, string];
  readonly port: number;
}

/** The fields that paircast sends beside Location and the request's id. */
const FIELDS: readonly (readonly [string, string])[] = [
  ["cache-control", "no-store"],
  ["access-control-allow-origin", "*"],
  ["access-control-expose-headers", "x-request-id, x-paircast-reason, x-paircast-origin, retry-after, content-length"],
  ["x-paircast-reason", "primary"],
  ["x-paircast-origin", "region-0"],
];

const NGINX_LINE =
  '{"level":"info","time":"$time_iso8601","requestId":"$request_id","method":"$request_method","path":"$uri","mode":"redirect",' +
  '"status":$status,"origin":"region-0","ms":$request_time,"event":"gateway.request"}';
const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

export function nginxConfiguration(
  peer: Peer & { readonly directory: string; readonly bare: boolean; readonly processes: number },
): string {
  const { task, origins, port, directory, bare, processes } = peer;
  const fields = [...FIELDS, ["x-request-id", "$request_id"] as const];
  const headers = bare ? "" : fields.map(([name, value]) => `      add_header ${name} "${value}" always;\n`).join("");
  const answer =
    task === "redirect"
      ? `      return 302 http://${origins[0]}$request_uri;\n`
      : "      proxy_pass http://origins/;\n      proxy_hide_header Server;\n      proxy_set_header X-Request-Id $request_id;\n";
  return `${process.getuid?.() === 0 ? "user root;\n" : ""}worker_processes ${processes};
daemon off;
pid ${directory}/nginx.pid;
events { worker_connections 4096; }
http {
  log_format line escape=json '${NGINX_LINE}';
  access_log ${directory}/access.log ${bare ? "combined" : "line"};
  keepalive_requests 1000000000;
  server_tokens off;
${TEMPORARY.map((name) => `  ${name}_temp_path ${directory}/${name};`).join("\n")}
  upstream origins {
    server ${origins[0]};
    server ${origins[1]} backup;
    keepalive 128;
    keepalive_requests 1000000000;
  }
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_next_upstream error timeout http_500 http_502 http_503 non_idempotent;
  server {
    listen 127.0.0.1:${port}${processes > 1 ? " reuseport" : ""};
    location ${task === "keys" ? "/keys/" : "/"} {
${headers}${answer}    }
  }
}
`;
}

export function haproxyConfiguration({ task, origins, port }: Peer): string {
  const quoted =
    '{"requestId":"%ID","method":"%HM","path":"%HP","mode":"redirect","status":%ST,"origin":"region-0","ms":%Ta,"event":"gateway.request"}';
  const line = quoted.replaceAll('"', '\\"').replaceAll(" ", "\\ ");
  return `global
  maxconn 4000
  nbthread 1
  log stdout format raw local0 info
defaults
  mode http
  log global
  timeout connect 1s
  timeout client 65s
  timeout server 2s
frontend players
  bind 127.0.0.1:${port}
  log-format ${line}
  unique-id-format %[uuid()]
${task === "redirect" ? redirectRules(origins) : proxyRules(origins)}`;
}

function redirectRules(origins: Peer["origins"]): string {
  const fields = [...FIELDS, ["x-request-id", "%[unique-id]"] as const].map(([name, value]) => ` hdr ${name} "${value}"`).join("");
  return `  http-request return status 302 hdr location "http://${origins[0]}%[pathq]"${fields}\n`;
}

function proxyRules(origins: Peer["origins"]): string {
  const fields = FIELDS.map(([name, value]) => `  http-after-response set-header ${name} "${value}"\n`).join("");
  return `  unique-id-header X-Request-Id
  http-request replace-path /keys(/.*) \\1
${fields}  default_backend keys
backend keys
  http-reuse always
  balance first
  option redispatch 1
  retry-on conn-failure empty-response response-timeout 500 502 503 504
  server a ${origins[0]}
  server b ${origins[1]}
`;
}

export function caddyfile({ task, origins, port, directory }: Peer & { readonly directory: string }): string {
  const headers = [...FIELDS, ["x-request-id", "{http.request.uuid}"] as const]
    .map(([name, value]) => `  header ${name} "${value}"\n`)
    .join("");
  const answer =
    task === "redirect"
      ? `  redir http://${origins[0]}{uri} 302\n`
      : `  handle_path /keys/* {\n    reverse_proxy ${origins[0]} ${origins[1]} {\n      lb_policy first\n      transport http {\n        keepalive_idle_conns_per_host 128\n      }\n    }\n  }\n`;
  return `{
  admin off
  auto_https off
}
http://127.0.0.1:${port} {
  bind 127.0.0.1
  log {
    output file ${directory}/access.log
    format json
  }
${headers}${answer}}
`;
}
