package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"

	"callhome/bench/load"
)

// classified asks the binary to read lines and counts those of which it has dialect, host, severity and mnemonic right.
func (b *bench) classified(lines []load.Line) (right, of int, err error) {
	cmd := exec.Command(b.bin, "decode", "syslog", "--json")
	cmd.Stdin = bytes.NewReader(load.Frame(lines).Bytes)
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("callhome decode syslog: %w", err)
	}
	s := bufio.NewScanner(bytes.NewReader(out))
	s.Buffer(nil, 1<<20)
	for i := 0; s.Scan(); i++ {
		var got struct {
			Dialect   string `json:"dialect"`
			Host      string `json:"host"`
			Severity  *int   `json:"severity"`
			Mnemonic  string `json:"mnemonic"`
			MessageID string `json:"message_id"`
		}
		if err := json.Unmarshal(s.Bytes(), &got); err != nil {
			return 0, 0, fmt.Errorf("callhome decode syslog: %w", err)
		}
		if i >= len(lines) {
			return 0, 0, fmt.Errorf("callhome decode syslog: more objects than the %d lines", len(lines))
		}
		w := &lines[i]
		named := got.Mnemonic == w.Mnemonic || got.MessageID == w.Mnemonic
		if got.Dialect == string(w.Layout) && got.Host == w.Host && got.Severity != nil && *got.Severity == w.Severity && named {
			right++
		}
	}
	return right, len(lines), nil
}
