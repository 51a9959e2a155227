package main

import (
	"encoding/base64"
	"time"
)

// base64Key is a public key as known_hosts files have it.
func base64Key(key []byte) string { return base64.StdEncoding.EncodeToString(key) }

// timeSince is the time since t in seconds.
func timeSince(t time.Time) float64 { return time.Since(t).Seconds() }
