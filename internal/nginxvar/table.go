package nginxvar

import "strings"

// A row is a few variables of one module that look alike.
type row struct {
	names string
	kind  Kind
}

// rows follow the alphabetical index https://nginx.org/en/docs/varindex.html;
// each group is one page below https://nginx.org/en/docs/http/.
var rows = []row{
	// ngx_http_core_module.html and ngx_http_log_module.html
	{"args query_string content_type document_root document_uri uri request_uri realpath_root", String},
	{"remote_user request_body request_body_file request_filename binary_remote_addr", String},
	{"request", Request},
	{"status upstream_status", Status},
	{"time_local", TimeLocal},
	{"time_iso8601 time_iso8601_ms", TimeISO8601},
	{"msec", Msec},
	{"bytes_sent body_bytes_sent request_length content_length connection connection_requests", Int},
	{"limit_rate pid proxy_protocol_port proxy_protocol_server_port remote_port request_port server_port", Int},
	{"tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd tcpinfo_rcv_space", Int},
	{"connection_time request_time", Float},
	{"host hostname https is_args is_request_port nginx_version pipe", Token},
	{"proxy_protocol_addr proxy_protocol_server_addr remote_addr server_addr", Token},
	{"request_completion request_id request_method scheme server_name server_protocol", Token},

	// Not a variable of nginx, but a name that hand-written patterns often give $bytes_sent.
	{"bytes", Int},

	// ngx_http_upstream_module.html
	{"upstream_addr", Token},
	{"upstream_bytes_received upstream_bytes_sent upstream_response_length", Int},
	{"upstream_connect_time upstream_header_time upstream_queue_time upstream_response_time", Float},
	{"upstream_cache_status upstream_last_addr upstream_last_server_name", Token},
	{"upstream_cache_etag upstream_cache_last_modified", String},

	// ngx_http_proxy_module.html, ngx_http_fastcgi_module.html, ngx_http_memcached_module.html
	{"proxy_host", Token},
	{"proxy_port", Int},
	{"proxy_add_x_forwarded_for fastcgi_path_info fastcgi_script_name memcached_key", String},

	// ngx_http_ssl_module.html
	{"ssl_alpn_protocol ssl_cipher ssl_ciphers ssl_curve ssl_curves ssl_early_data", Token},
	{"ssl_client_fingerprint ssl_client_serial ssl_client_sigalg ssl_ech_status", Token},
	{"ssl_protocol ssl_session_id ssl_session_reused ssl_sigalg ssl_sigalgs", Token},
	{"ssl_client_v_remain", Int},
	{"ssl_client_cert ssl_client_escaped_cert ssl_client_raw_cert ssl_client_verify", String},
	{"ssl_client_i_dn ssl_client_i_dn_legacy ssl_client_s_dn ssl_client_s_dn_legacy", String},
	{"ssl_client_v_end ssl_client_v_start ssl_server_name ssl_ech_outer_server_name", String},

	// ngx_http_gzip_module.html
	{"gzip_ratio", Float},

	// ngx_http_geoip_module.html; ngx_http_geo_module.html defines no names of its own
	{"geoip_area_code geoip_dma_code", Int},
	{"geoip_latitude geoip_longitude", Float},
	{"geoip_country_code geoip_country_code3 geoip_city_continent_code", Token},
	{"geoip_city_country_code geoip_city_country_code3 geoip_region", Token},
	{"geoip_city geoip_city_country_name geoip_country_name", String},
	{"geoip_org geoip_postal_code geoip_region_name", String},

	// ngx_http_realip_module.html
	{"realip_remote_addr", Token},
	{"realip_remote_port", Int},

	// ngx_http_v2_module.html, ngx_http_v3_module.html
	{"http2 http3", Token},

	// ngx_http_limit_conn_module.html, ngx_http_limit_req_module.html, ngx_http_stub_status_module.html
	{"limit_conn_status limit_req_status", Token},
	{"connections_active connections_reading connections_waiting connections_writing", Int},

	// ngx_http_browser_module.html, ngx_http_referer_module.html, ngx_http_secure_link_module.html,
	// ngx_http_session_log_module.html, ngx_http_slice_module.html, ngx_http_ssi_module.html,
	// ngx_http_userid_module.html, ngx_http_auth_jwt_module.html
	{"ancient_browser modern_browser msie invalid_referer secure_link secure_link_expires", String},
	{"session_log_id session_log_binary_id slice_range date_local date_gmt", String},
	{"uid_got uid_reset uid_set jwt_payload", String},

	// What the ingress controller sets in its nginx.conf:
	// https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/log-format/
	{"proxy_upstream_name proxy_alternative_upstream_name req_id", Token},
	{"namespace ingress_name service_name service_port", Token},
}

// lists are the upstream variables with one element per server tried.
const lists = "upstream_addr upstream_status upstream_bytes_received upstream_bytes_sent " +
	"upstream_response_length upstream_connect_time upstream_header_time upstream_queue_time " +
	"upstream_response_time"

// empties are the variables that nginx counts as found although they hold
// nothing: no server_name configured, no TLS, no HTTP/2, no second upstream; no
// protocol in a broken request, no port on a unix socket, no upstream when there
// is no connection left (seen of nginx 1.22).
const empties = "host http2 http3 https is_args is_request_port request_completion request_port server_name " +
	"server_protocol server_port remote_port realip_remote_port proxy_port upstream_addr " +
	"proxy_upstream_name proxy_alternative_upstream_name namespace ingress_name service_name service_port"

// sents are as the client sent them; of req_id it may have sent X-Request-ID.
const sents = "content_length req_id"

// variables is the table Lookup reads.
var variables = index()

func index() map[string]Variable {
	m := make(map[string]Variable, 160)
	for _, r := range rows {
		for name := range strings.FieldsSeq(r.names) {
			m[name] = Variable{Name: name, Kind: r.kind}
		}
	}
	for name := range strings.FieldsSeq(lists) {
		v := m[name]
		v.List = true
		m[name] = v
	}
	for name := range strings.FieldsSeq(sents) {
		v := m[name]
		v.Sent = true
		m[name] = v
	}
	for name := range strings.FieldsSeq(empties) {
		v := m[name]
		v.Empty = true
		m[name] = v
	}
	return m
}
