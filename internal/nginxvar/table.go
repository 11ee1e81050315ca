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
	{"http_content_length sent_http_content_length upstream_http_content_length", Int},
	{"limit_rate pid proxy_protocol_port proxy_protocol_server_port remote_port request_port server_port", Int},
	{"tcpinfo_rtt tcpinfo_rttvar tcpinfo_snd_cwnd tcpinfo_rcv_space", Int},
	{"connection_time request_time", Float},
	{"host hostname https is_args is_request_port nginx_version pipe", Token},
	{"proxy_protocol_addr proxy_protocol_server_addr remote_addr server_addr", Token},
	{"request_completion request_id request_method scheme server_name server_protocol", Token},

	// Not a variable of nginx, but a name that hand-written patterns often give $bytes_sent.
	{"bytes", Int},

	// Of Traefik's and HAProxy's lines, and no variables of nginx.
	{"request_ms queue_ms requests_since_start", Int},

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

	// ngx_stream_core_module.html, ngx_stream_upstream_module.html, ngx_stream_ssl_preread_module.html,
	// ngx_stream_mqtt_preread_module.html: beside those that have the name of one above
	{"bytes_received", Int},
	{"session_time upstream_first_byte_time upstream_session_time", Float},
	{"protocol ssl_preread_protocol", Token},
	{"ssl_preread_server_name ssl_preread_alpn_protocols mqtt_preread_clientid mqtt_preread_username", String},

	// ngx_http_acme_module.html, ngx_otel_module.html
	{"acme_certificate acme_certificate_key", String},
	{"otel_trace_id otel_span_id otel_parent_id otel_parent_sampled", Token},

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
	{"the_real_ip pass_access_scheme full_x_forwarded_proto global_rate_limit_exceeding", Token},
	{"pass_server_port pass_port geoip2_asn geoip2_dma_code", Int},
	{"balancer_ewma_score geoip2_latitude geoip2_longitude", Float},
	{"location_path best_http_host geoip2_city geoip2_city_country_name geoip2_country_name geoip2_org", String},
	{"geoip2_postal_code geoip2_region_name geoip2_subregion_name geoip2_time_zone", String},
	{"geoip2_city_country_code geoip2_country_code geoip2_region_code geoip2_subregion_code", Token},

	// What Angie adds: https://en.angie.software/angie/docs/configuration/varindex/
	{"proxy_internal_body_length", Int},
	{"angie_version quic_connection ssl_encrypted_hello ssl_server_cert_type proxy_internal_host", Token},
	{"proxy_internal_chunked upstream_transport upstream_request_method upstream_sticky_status", Token},
	{"proxy_add_via rdp_cookie sent_body upstream_cache_key", String},
	{"acme_hook_client acme_hook_name acme_hook_challenge acme_hook_domain acme_hook_token acme_hook_keyauth", String},

	// What the modules that come with OpenResty add: https://openresty.org/en/components
	{"echo_timer_elapsed brotli_ratio zstd_ratio", Float},
	{"echo_incr srcache_expire memc_flags memc_exptime drizzle_thread_id", Int},
	{"postgres_columns postgres_rows postgres_affected", Int},
	{"echo_response_status", Status},
	{"echo_request_method echo_client_request_method srcache_fetch_status srcache_store_status memc_cmd", Token},
	{"echo_client_request_headers echo_cacheable_request_uri echo_request_uri echo_request_body echo_it", String},
	{"memc_key memc_value postgres_query", String},

	// What APISIX adds: https://github.com/apache/apisix/blob/master/apisix/cli/ngx_tpl.lua
	{"apisix_upstream_response_time", Float},
}

// lists are the upstream variables with one element per server tried.
const lists = "upstream_addr upstream_status upstream_bytes_received upstream_bytes_sent " +
	"upstream_response_length upstream_connect_time upstream_header_time upstream_queue_time " +
	"upstream_response_time upstream_first_byte_time upstream_session_time upstream_sticky_status " +
	"apisix_upstream_response_time"

// empties are the variables that nginx counts as found although they hold
// nothing: no server_name configured, no TLS, no HTTP/2, no second upstream; no
// protocol in a broken request, no port on a unix socket, no upstream when there
// is no connection left (seen of nginx 1.22).
const empties = "host http2 http3 https is_args is_request_port request_completion request_port server_name " +
	"server_protocol server_port remote_port realip_remote_port proxy_port upstream_addr " +
	"proxy_upstream_name proxy_alternative_upstream_name namespace ingress_name service_name service_port " +
	"the_real_ip pass_access_scheme full_x_forwarded_proto global_rate_limit_exceeding pass_server_port pass_port " +
	"geoip2_asn geoip2_dma_code geoip2_latitude geoip2_longitude geoip2_city_country_code geoip2_country_code " +
	"geoip2_region_code geoip2_subregion_code balancer_ewma_score ssl_preread_protocol quic_connection " +
	"upstream_transport upstream_request_method upstream_sticky_status apisix_upstream_response_time " +
	"otel_trace_id otel_span_id otel_parent_id otel_parent_sampled"

// sents are as the client, or the upstream, sent them; of req_id it may have sent X-Request-ID.
const sents = "content_length http_content_length sent_http_content_length upstream_http_content_length req_id"

// variables is the table Lookup reads.
var variables = index()

func index() map[string]Variable {
	m := make(map[string]Variable, 240)
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
