package ctl

import (
	"encoding/json"
	"fmt"
	"io"

	"callhome"
	"callhome/config"
	"callhome/config/stanza"
	"callhome/personality"
)

// maxRunning bounds a running configuration that is read whole.
const maxRunning = 64 << 20

// importObject is what `config import --json` prints.
type importObject struct {
	Config  string          `json:"config"` // our YAML
	Remarks []stanza.Remark `json:"remarks"`
}

// ImportStanza writes a running configuration's call-home part as our configuration. What was not taken over is told on
// remarks as well, with the name of the input and the line.
func ImportStanza(out, remarks io.Writer, in io.Reader, name, from string, asJSON bool) error {
	b, err := io.ReadAll(io.LimitReader(in, maxRunning+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	im, err := stanza.Import(personality.Name(from), b)
	if err != nil {
		return &callhome.Error{Kind: callhome.KindInvalid, Path: name, Err: err}
	}
	text, err := im.YAML()
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(importObject{Config: string(text), Remarks: append([]stanza.Remark{}, im.Remarks...)})
	}
	for _, r := range im.Remarks {
		if r.Line == 0 {
			fmt.Fprintf(remarks, "%s: %s\n", name, r.Reason)
			continue
		}
		fmt.Fprintf(remarks, "%s:%d: %s: %s\n", name, r.Line, r.Text, r.Reason)
	}
	_, err = out.Write(text)
	return err
}

// ExportStanza writes a configuration's call-home part the way a platform prints it, or with asJSON as an object with
// what the platform cannot say.
func ExportStanza(out io.Writer, cfg *config.Agent, as string, asJSON bool) error {
	text, notes, err := stanza.Export(personality.Name(as), cfg)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(out).Encode(map[string]any{"stanza": string(text), "left_out": append([]string{}, notes...)})
	}
	_, err = out.Write(text)
	return err
}
