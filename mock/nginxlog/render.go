package nginxlog

import (
	"strconv"
	"strings"
	"time"
)

// variable is an nginx variable.
type variable uint8

const (
	varAbsent variable = iota // known to nginx, never set here
	varArgs
	varBodyBytesSent
	varBytesSent
	varConnection
	varConnectionRequests
	varGzipRatio
	varHost
	varHostname
	varHTTPHost
	varHTTPReferer
	varHTTPUserAgent
	varHTTPS
	varIsArgs
	varMsec
	varNginxVersion
	varPID
	varPipe
	varRemoteAddr
	varRemotePort
	varRemoteUser
	varRequest
	varRequestID
	varRequestLength
	varRequestMethod
	varRequestTime
	varRequestURI
	varScheme
	varServerAddr
	varServerName
	varServerPort
	varServerProtocol
	varStatus
	varTimeISO8601
	varTimeLocal
	varUpstreamAddr
	varUpstreamConnectTime
	varUpstreamHeaderTime
	varUpstreamResponseTime
	varUpstreamStatus
	varURI
)

var variables = map[string]variable{
	"args": varArgs, "query_string": varArgs, "body_bytes_sent": varBodyBytesSent, "bytes_sent": varBytesSent,
	"connection": varConnection, "connection_requests": varConnectionRequests, "gzip_ratio": varGzipRatio,
	"host": varHost, "hostname": varHostname, "http_host": varHTTPHost, "http_referer": varHTTPReferer,
	"http_user_agent": varHTTPUserAgent, "https": varHTTPS, "is_args": varIsArgs, "msec": varMsec,
	"nginx_version": varNginxVersion, "pid": varPID, "pipe": varPipe, "remote_addr": varRemoteAddr,
	"remote_port": varRemotePort, "remote_user": varRemoteUser, "request": varRequest, "request_id": varRequestID,
	"request_length": varRequestLength, "request_method": varRequestMethod, "request_time": varRequestTime,
	"request_uri": varRequestURI, "scheme": varScheme, "server_addr": varServerAddr, "server_name": varServerName,
	"server_port": varServerPort, "server_protocol": varServerProtocol, "status": varStatus,
	"time_iso8601": varTimeISO8601, "time_local": varTimeLocal, "upstream_addr": varUpstreamAddr,
	"upstream_connect_time": varUpstreamConnectTime, "upstream_header_time": varUpstreamHeaderTime,
	"upstream_response_time": varUpstreamResponseTime, "upstream_status": varUpstreamStatus,
	"uri": varURI, "document_uri": varURI,
	"ssl_protocol": varAbsent, "ssl_cipher": varAbsent, "upstream_cache_status": varAbsent,
	"content_length": varAbsent, "content_type": varAbsent, "request_body": varAbsent,
}

// families are the variables that exist for every header, cookie or argument.
var families = []string{"http_", "sent_http_", "cookie_", "arg_", "upstream_http_"}

func variableNamed(name string) (variable, bool) {
	if v, ok := variables[name]; ok {
		return v, true
	}
	for _, f := range families {
		if strings.HasPrefix(name, f) {
			return varAbsent, true
		}
	}
	return varAbsent, false
}

// stamp is the time of a line. Its texts are made once a second.
type stamp struct {
	second       int64
	zone         *time.Location
	local, iso   []byte
	milliseconds int64
}

func (s *stamp) set(at time.Time) {
	s.milliseconds = int64(at.Nanosecond()) / 1e6
	if second, zone := at.Unix(), at.Location(); second != s.second || zone != s.zone {
		s.second, s.zone = second, zone
		s.local = at.AppendFormat(s.local[:0], "02/Jan/2006:15:04:05 -0700")
		s.iso = at.AppendFormat(s.iso[:0], "2006-01-02T15:04:05-07:00")
	}
}

// appendLine renders the request without a newline.
func (g *Generator) appendLine(buf []byte) []byte {
	for i := range g.template.parts {
		p := &g.template.parts[i]
		if p.literal != "" {
			buf = append(buf, p.literal...)
		} else {
			buf = g.appendVariable(buf, p.variable)
		}
	}
	return buf
}

func (g *Generator) appendVariable(buf []byte, v variable) []byte {
	r := g.req
	switch v {
	case varArgs:
		return g.appendText(buf, r.Query())
	case varBodyBytesSent:
		return strconv.AppendInt(buf, r.BodyBytes, 10)
	case varBytesSent:
		return strconv.AppendInt(buf, r.BytesSent, 10)
	case varConnection:
		return strconv.AppendInt(buf, r.Connection, 10)
	case varConnectionRequests:
		return strconv.AppendInt(buf, r.ConnectionRequests, 10)
	case varGzipRatio:
		if r.GzipPercent == 0 {
			return append(buf, g.absent...)
		}
		return appendHundredths(buf, r.GzipPercent)
	case varHost:
		return append(buf, r.Host...)
	case varHostname:
		return append(buf, "web1"...)
	case varHTTPHost:
		if r.Host == "_" {
			return append(buf, g.absent...)
		}
		return append(buf, r.Host...)
	case varHTTPReferer:
		return g.appendString(buf, r.Referer)
	case varHTTPUserAgent:
		return g.appendString(buf, r.Agent)
	case varHTTPS:
		if r.Scheme == "https" {
			return append(buf, "on"...)
		}
		return buf
	case varIsArgs:
		if len(r.Query()) > 0 {
			return append(buf, '?')
		}
		return buf
	case varMsec:
		return appendSeconds(buf, g.stamp.second*1000+g.stamp.milliseconds)
	case varNginxVersion:
		return append(buf, "1.28.0"...)
	case varPID:
		return strconv.AppendInt(buf, 2210+r.Connection&1, 10)
	case varPipe:
		if r.ID[0]>>56 < 20 {
			return append(buf, 'p')
		}
		return append(buf, '.')
	case varRemoteAddr:
		return append(buf, r.RemoteAddr...)
	case varRemotePort:
		return strconv.AppendInt(buf, 32768+r.Connection%28000, 10)
	case varRemoteUser:
		return g.appendString(buf, r.RemoteUser)
	case varRequest:
		return g.appendRequest(buf)
	case varRequestID:
		return appendHex(appendHex(buf, r.ID[0]), r.ID[1])
	case varRequestLength:
		return strconv.AppendInt(buf, r.RequestLength, 10)
	case varRequestMethod:
		return g.appendString(buf, r.Method)
	case varRequestTime:
		return appendSeconds(buf, r.RequestTime)
	case varRequestURI:
		return g.appendText(buf, r.URI)
	case varScheme:
		return append(buf, r.Scheme...)
	case varServerAddr:
		return append(buf, "192.0.2.1"...)
	case varServerName:
		if r.Host == "_" {
			return append(buf, '_')
		}
		return append(buf, "www.example.com"...)
	case varServerPort:
		if r.Scheme == "https" {
			return append(buf, "443"...)
		}
		return append(buf, "80"...)
	case varServerProtocol:
		return g.appendString(buf, r.Protocol)
	case varStatus:
		return strconv.AppendInt(buf, int64(r.Status), 10)
	case varTimeISO8601:
		return append(buf, g.stamp.iso...)
	case varTimeLocal:
		return append(buf, g.stamp.local...)
	case varUpstreamAddr, varUpstreamConnectTime, varUpstreamHeaderTime, varUpstreamResponseTime, varUpstreamStatus:
		return g.appendTries(buf, v)
	case varURI:
		return g.appendText(buf, r.Path())
	}
	return append(buf, g.absent...)
}
