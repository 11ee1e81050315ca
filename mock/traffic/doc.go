// Package traffic imagines a web site and those who visit it: about 200 paths,
// 600 clients, people, bots and monitors, and scanners passing by. It gives
// what nginx would know about each request, and leaves how that is logged to others.
//
//	calm ──── CalmRequests on average ───► outage: the upstreams answer slowly,
//	  ▲                                      │     or with 502, 503, 504, 500
//	  └──────── OutageRequests on average ───┘
//
// The site is always the same; the seed decides who asks for what and how it
// goes. Sizes and durations are log-normal, paths and clients follow Zipf.
// There are no sessions and no daily rhythm. Addresses and names are of those
// reserved for documentation.
package traffic
