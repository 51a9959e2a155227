package ctl

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// Reloaded is what a reload made of the configuration.
type Reloaded struct {
	Profiles    int      `json:"profiles"` // configured ones
	Devices     int      `json:"devices"`
	MailServers int      `json:"mail_servers"`
	Restart     []string `json:"needs_restart"` // keys of blocks that changed since the start and do not count yet
	Warnings    []string `json:"warnings,omitempty"`
}

// Reload makes a running agent read its configuration again and prints what is in use now.
func (s *Shower) Reload(ctx context.Context) error {
	var done Reloaded
	err := s.Client.Call(ctx, CallReload, nil, &done)
	if err != nil || s.JSON {
		if done.Restart == nil {
			done.Restart = []string{}
		}
		return s.orJSON(done, err)
	}
	return s.print(func(w *bufio.Writer) { printReloaded(w, &done) })
}

func printReloaded(w *bufio.Writer, r *Reloaded) {
	fmt.Fprintf(w, "The configuration was read again. In use: profiles: %d, devices: %d, mail servers: %d\n", r.Profiles, r.Devices, r.MailServers)
	if len(r.Restart) > 0 {
		fmt.Fprintf(w, "Changed, but in use only after a restart: %s\n", strings.Join(r.Restart, ", "))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "warning: %s\n", warning)
	}
}
