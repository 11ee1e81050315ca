package logformat_test

import (
	"math/rand/v2"
	"strings"
	"testing"
)

var (
	randomKeys = strings.Fields(`status uri path method request_method time ts @timestamp msec time_local host vhost Host HOST
		upstream_status upstream_response_time referer referrer x y log request a a.b Code request.method cost`)
	randomValues = []string{
		`""`, `"-"`, `"GET /a?b=c HTTP/1.1"`, `"a value that is longer than three words are"`, `"é"`, `":,{}[]"`, `"200"`, `"0.1, 0.2"`,
		`200`, `0.120`, `-1`, `1e3`, `-`, `-e3`, `+`, `0.010, -`, `502, 200 : 200`, `null`, `true`, `false`, `NaN`, `-Inf`, `nul`, ``,
		`"2018-03-04T13:49:52+00:00"`, `"04/Mar/2018:13:49:52 +0000"`, `1520171392.123`, `"1520171392"`, `1.7951688e9`,
		`"\""`, `"\\"`, `"\u00e9"`, `[1]`, `[]`, `["a", 1]`, `{}`, `{"method":"GET"}`, `{"b":"c","of":{"it":7}}`, `{"uri":null}`,
	}
)

// randomLine has keys in their order, and mostly usual values.
func randomLine(r *rand.Rand, keys []string, colon, comma string) []byte {
	var members []string
	for _, key := range keys {
		value := randomValues[r.IntN(10)]
		if r.IntN(4) == 0 {
			value = randomValues[r.IntN(len(randomValues))]
		}
		members = append(members, `"`+key+`"`+colon+value)
	}
	line := []byte("{" + strings.Join(members, comma) + "}")
	if r.IntN(20) == 0 {
		line[r.IntN(len(line))] = `"\,:{} 0-`[r.IntN(9)]
	}
	if r.IntN(40) == 0 {
		line = line[:r.IntN(len(line))]
	}
	return line
}

// Lines of few kinds, one after the other, with all that a value can be.
func TestSkeletonsOfRandomLines(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 19))
	formats, by, all := jsonFormats(t), 0, 0
	for range 300 {
		w := parsedTwinsOf(formats[r.IntN(len(formats))])
		var kinds [][]string
		for range 1 + r.IntN(5) {
			var keys []string
			for range r.IntN(7) {
				keys = append(keys, randomKeys[r.IntN(len(randomKeys))])
			}
			kinds = append(kinds, keys)
		}
		colon, comma := []string{":", ": ", " : ", ":\t"}[r.IntN(4)], []string{",", ", "}[r.IntN(2)]
		for range 200 {
			all++
			if w.agree(t, randomLine(r, kinds[r.IntN(len(kinds))], colon, comma)) {
				by++
			}
		}
	}
	if by < all/20 {
		t.Errorf("%d of %d lines were matched by a skeleton", by, all)
	}
}
