package api

import "html/template"

// goOn is the one page of the API: it brings a browser from a sign-in elsewhere to where it wanted to go.
var goOn = template.Must(template.New("go on").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Signed in</title><meta http-equiv="refresh" content="0;url={{.}}"></head>
<body><p>You are signed in. <a href="{{.}}">Go on</a></p></body></html>
`))
