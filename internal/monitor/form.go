package monitor

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"sync"
)

// form asks for the token. It has no script, and needs nothing else.
var form = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("form").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
{{if .Refresh}}<meta http-equiv="refresh" content="0">
{{end}}<title>tailflux: token</title>
<link rel="icon" href="data:,">
<style>{{.Style}}</style>
</head>
<body>
<main>
<h1>tailflux</h1>
<form method="get" action="./">
<input type="text" value="tailflux" autocomplete="username" hidden>
<label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus{{if .Wrong}} aria-invalid="true" aria-describedby="why"{{end}}>
{{if .Wrong}}<p id="why" class="wrong">That is not the token.</p>
{{end}}<button>Open</button>
</form>
<p>It is in the file that <code>http.token_file</code> names in the configuration. This browser is asked once.</p>
</main>
</body>
</html>
`))
})

const formStyle = `
:root { color-scheme: light dark; --ink: #1b1d1f; --soft: #5a6067; --line: #c9ccd0; --paper: #f6f6f4; --bad: #b3262b; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6e8; --soft: #9aa1a9; --line: #4a5057; --paper: #111315; --bad: #ff8a80; } }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { width: min(22rem, 100vw - 3rem); }
h1 { font-size: 1.1rem; font-weight: 600; }
label { display: block; margin-bottom: .25rem; }
input, button { box-sizing: border-box; font: inherit; color: inherit; padding: .45rem .6rem; border: 1px solid var(--line); border-radius: 4px; background: transparent; }
input { width: 100%; margin-bottom: .75rem; }
button { cursor: pointer; }
p { color: var(--soft); }
.wrong { color: var(--bad); margin: 0 0 .75rem; }
`

// formStyleHash is by what the policy knows the style.
var formStyleHash = func() string {
	sum := sha256.Sum256([]byte(formStyle))
	return base64.StdEncoding.EncodeToString(sum[:])
}()
