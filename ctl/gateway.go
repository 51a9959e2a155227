package ctl

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"callhome/gateway"
	"callhome/gateway/book"
	"callhome/gateway/bundle"
)

// Call names of a running gateway, beside those of the queue.
const (
	CallGatewayStatus   = "gateway-status"
	CallGatewayDevices  = "gateway-devices"
	CallGatewayForget   = "gateway-forget-device"
	CallGatewayRegister = "gateway-register"
	CallGatewayExport   = "gateway-export"
	CallGatewayImport   = "gateway-import"
	CallGatewayReceipt  = "gateway-receipt"
	CallGatewayBundles  = "gateway-bundles"
	CallGatewayKey      = "gateway-key"
	CallShelfList       = "shelf-list"
	CallShelfShow       = "shelf-show"
	CallShelfRetry      = "shelf-retry"
	CallShelfDrop       = "shelf-drop"
)

// Gateway is what an operator asks a running gateway.
type Gateway struct{ Shower }

// HeardQuery chooses devices.
type HeardQuery struct {
	Silent bool   `json:"silent,omitempty"`
	After  string `json:"after,omitempty"`
	Limit  int    `json:"limit,omitempty"`
}

// GatewayDevice is a row of the device list.
type GatewayDevice struct {
	book.Device
	PeriodSeconds int64 `json:"period_seconds,omitempty"` // of its most frequent periodic messages, while known
	Silent        bool  `json:"silent"`
}

// BundleOrder names a bundle and where its receipt goes.
type BundleOrder struct {
	File    string `json:"file"`
	Receipt string `json:"receipt"`
}

// ShelfQuery chooses shelved messages.
type ShelfQuery struct {
	After int64   `json:"after,omitempty"`
	Limit int     `json:"limit,omitempty"`
	IDs   []int64 `json:"ids,omitempty"`
}

// defaultRows is how many rows a list gives when no limit is asked for.
const defaultRows = 200

// Status prints the status page.
func (g *Gateway) Status(ctx context.Context) error {
	var s gateway.Status
	err := g.Client.Call(ctx, CallGatewayStatus, nil, &s)
	if err != nil || g.JSON {
		return g.orJSON(s, err)
	}
	return g.print(func(w *bufio.Writer) { printGatewayStatus(w, &s, g.width()) })
}

func printGatewayStatus(w *bufio.Writer, s *gateway.Status, width int) {
	fmt.Fprintf(w, "Gateway: %s (%s), version %s, up since %s\n", s.Name, s.ID, s.Version, stamp(s.StartedAt))
	fmt.Fprintf(w, "Registration: %s\n", registrationWords(s))
	if s.Forwarding {
		fmt.Fprintln(w, "Forwarding: yes")
	} else {
		fmt.Fprintf(w, "Forwarding: no, %s\n", s.Held)
	}
	fmt.Fprintf(w, "Queue: %d messages, %d of %d bytes, %d dead letters; oldest %s\n", s.Queue.Entries, s.Queue.EntryBytes, s.Queue.LimitBytes,
		s.Queue.DeadLetters, when(s.Queue.OldestAt, "none"))
	if s.Room.Free >= 0 {
		fmt.Fprintf(w, "Disk: %d bytes free\n", s.Room.Free)
	}
	for _, c := range slices.Sorted(maps.Keys(s.Refusing)) {
		fmt.Fprintf(w, "Refusing: class %s, %s\n", c, s.Refusing[c])
	}
	fmt.Fprintf(w, "Devices: %d, %d of them silent\nShelf: %d messages, %d bytes\n", s.Devices, s.Silent, s.Shelf, s.ShelfBytes)
	for _, l := range s.Listeners {
		weak := ""
		if l.Weak {
			weak = " (weak: old TLS versions and ciphers)"
		}
		fmt.Fprintf(w, "Listener: %s%s\n", l.Address, weak)
	}
	if m := s.Mailbox; m != nil {
		fmt.Fprintf(w, "Mailbox: %s, %d taken, %d refused, last read %s", m.Address, m.Taken, m.Refused, when(m.LastPoll, "never"))
		if !m.Well {
			fmt.Fprintf(w, "; %s", oneLine(m.LastError))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "Taken: %s\nRefused: %s\nForwarded: %s\n", countWords(s.Taken), countWords(s.Refused), countWords(s.Forwarded))
	fmt.Fprintf(w, "Licensing messages: %d answered, not taken\n", s.Licensing)
	if s.Weak > 0 {
		fmt.Fprintf(w, "Weak listener: %d messages\n", s.Weak)
	}
	t := table{columns: []column{
		{"Upstream", 30, 12}, {"Priority", 8, 8}, {"State", 9, 9}, {"Sent", 8, 4}, {"Failed", 8, 6}, {"Last success (UTC)", 19, 16}, {"Last error", wordy(width), 10},
	}}
	for _, u := range s.Upstreams {
		t.add(u.URL, strconv.Itoa(u.Priority), string(u.Breaker), strconv.FormatInt(u.Sent, 10), strconv.FormatInt(u.Failed, 10), when(u.LastSuccess, "never"), u.LastError)
	}
	if len(t.rows) > 0 {
		fmt.Fprintln(w)
		t.print(w, width)
	}
	for _, h := range s.Health {
		if !h.Well {
			fmt.Fprintf(w, "\nUnwell: %s, %s", h.Part, oneLine(h.Reason))
		}
	}
}

func registrationWords(s *gateway.Status) string {
	r := s.Registration
	switch {
	case r.Registered:
		return fmt.Sprintf("registered as %s, certificate until %s", r.Name, r.NotAfter.UTC().Format(time.DateOnly))
	case r.Pending:
		return "asked, not answered yet; it is asked again by itself: " + oneLine(r.LastError)
	case !s.Required:
		return "not needed"
	case r.LastError != "":
		return "unregistered: " + oneLine(r.LastError)
	}
	return "unregistered"
}

// countWords writes counters as "http 12, email 3".
func countWords(counts map[string]int64) string {
	words := make([]string, 0, len(counts))
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		words = append(words, fmt.Sprintf("%s %d", k, counts[k]))
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}

// Devices prints the device list.
func (g *Gateway) Devices(ctx context.Context, q HeardQuery) error {
	devices := []GatewayDevice{}
	err := g.Client.Call(ctx, CallGatewayDevices, q, &devices)
	if err != nil || g.JSON {
		return g.orJSON(devices, err)
	}
	return g.print(func(w *bufio.Writer) {
		t := table{columns: []column{
			{"Host name", 16, 8}, {"Serial", 12, 8}, {"Product", 12, 6}, {"Source", 15, 9}, {"Via", 5, 5}, {"First seen (UTC)", 19, 10},
			{"Last message (UTC)", 19, 16}, {"Messages", 8, 8}, {"Last result", 14, 9}, {"Silent", 6, 6},
		}}
		for i := range devices {
			d := &devices[i]
			silent := ""
			if d.Silent {
				silent = "yes"
			}
			t.add(d.Hostname, d.Serial, d.Product, d.Source, d.Transport, when(d.FirstSeen, "n/a"), when(d.LastSeen, "n/a"), strconv.FormatInt(d.Total, 10), d.Device.Result, silent)
		}
		t.print(w, g.width())
		if q.Limit <= 0 && len(devices) == defaultRows {
			fmt.Fprintf(w, "These are the first %d; --limit shows more.\n", defaultRows)
		}
	})
}

// Forget takes a device off the list.
func (g *Gateway) Forget(ctx context.Context, key string) error {
	err := g.Client.Call(ctx, CallGatewayForget, key, nil)
	if err != nil || g.JSON {
		return g.orJSON(map[string]string{"forgotten": key}, err)
	}
	_, err = fmt.Fprintf(g.Out, "%s is off the list until its next message\n", key)
	return err
}

// Register registers the gateway with a token.
func (g *Gateway) Register(ctx context.Context, token string) error {
	var s gateway.Status
	err := g.Client.Call(ctx, CallGatewayRegister, token, &s)
	if err != nil || g.JSON {
		return g.orJSON(s.Registration, err)
	}
	_, err = fmt.Fprintf(g.Out, "Registration: %s\n", registrationWords(&s))
	return err
}

// Export writes a bundle.
func (g *Gateway) Export(ctx context.Context, o gateway.ExportOrder) error {
	var e gateway.Exported
	err := g.Client.Call(ctx, CallGatewayExport, o, &e)
	if err != nil || g.JSON {
		return g.orJSON(e, err)
	}
	fmt.Fprintf(g.Out, "%s: %d messages for %s, bundle %s\n", e.File, e.Messages, e.To, e.Bundle)
	if e.Waiting > 0 {
		fmt.Fprintf(g.Out, "%d messages are in bundles whose receipt has not come; --again takes them in, too\n", e.Waiting)
	}
	if !o.Mark {
		fmt.Fprintln(g.Out, "The messages stay in the queue until `callhome gateway receipt FILE` confirms them.")
	}
	return nil
}

// Import takes a bundle in.
func (g *Gateway) Import(ctx context.Context, o BundleOrder) error {
	var in gateway.Imported
	err := g.Client.Call(ctx, CallGatewayImport, o, &in)
	if err != nil || g.JSON {
		return g.orJSON(in, err)
	}
	if in.Before {
		fmt.Fprintf(g.Out, "bundle %s was imported before\n", in.Bundle)
	}
	fmt.Fprintf(g.Out, "bundle %s from %s: %d messages, %d new, %d known already, %d refused\n", in.Bundle, in.From, in.Messages, in.New, in.Duplicates, len(in.Refused))
	for _, r := range in.Refused {
		fmt.Fprintf(g.Out, "refused: entry %d, %s\n", r.Entry, oneLine(r.Reason))
	}
	_, err = fmt.Fprintf(g.Out, "Carry the receipt back: %s\n", in.Receipt)
	return err
}

// Receipt settles a bundle.
func (g *Gateway) Receipt(ctx context.Context, file string) error {
	var s gateway.Settled
	err := g.Client.Call(ctx, CallGatewayReceipt, file, &s)
	if err != nil || g.JSON {
		return g.orJSON(s, err)
	}
	if s.Before {
		_, err = fmt.Fprintf(g.Out, "bundle %s was settled before; nothing changed\n", s.Bundle)
		return err
	}
	fmt.Fprintf(g.Out, "bundle %s: %d messages confirmed by %s and taken out of the queue\n", s.Bundle, s.Confirmed, s.From)
	for _, r := range s.Refused {
		fmt.Fprintf(g.Out, "refused there, stays in the queue: entry %d, %s\n", r.Entry, oneLine(r.Reason))
	}
	return nil
}

// Bundles lists bundles.
func (g *Gateway) Bundles(ctx context.Context) error {
	bundles := []book.Bundle{}
	err := g.Client.Call(ctx, CallGatewayBundles, nil, &bundles)
	if err != nil || g.JSON {
		return g.orJSON(bundles, err)
	}
	return g.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"Bundle", 29, 29}, {"Way", 3, 3}, {"Peer", 16, 6}, {"Made (UTC)", 19, 16}, {"Messages", 8, 8}, {"Bytes", 12, 6}, {"State", 9, 9}}}
		for _, b := range bundles {
			t.add(b.ID, b.Direction, b.Peer, when(b.At, "n/a"), strconv.Itoa(b.Messages), strconv.FormatInt(b.Bytes, 10), b.State)
		}
		t.print(w, g.width())
	})
}

// Key prints what a peer's configuration must hold of this gateway.
func (g *Gateway) Key(ctx context.Context) error {
	var p bundle.Peer
	err := g.Client.Call(ctx, CallGatewayKey, nil, &p)
	if err != nil || g.JSON {
		return g.orJSON(p, err)
	}
	_, err = fmt.Fprintf(g.Out, "{name: %s, sign_key: %q, recipient: %s}\n", p.Name, p.SignKey, p.Recipient)
	return err
}

// Shelf lists shelved messages.
func (g *Gateway) Shelf(ctx context.Context, q ShelfQuery) error {
	list := []book.Shelved{}
	err := g.Client.Call(ctx, CallShelfList, q, &list)
	if err != nil || g.JSON {
		return g.orJSON(list, err)
	}
	return g.print(func(w *bufio.Writer) {
		t := table{columns: []column{{"ID", 8, 4}, {"Came (UTC)", 19, 16}, {"Source", 21, 9}, {"Via", 5, 5}, {"Bytes", 9, 5}, {"Reason", 11, 9}, {"Detail", wordy(g.width()), 14}}}
		for i := range list {
			s := &list[i]
			t.add(strconv.FormatInt(s.ID, 10), when(s.At, "n/a"), s.Source, s.Transport, strconv.Itoa(s.Size), s.Reason, s.Detail)
		}
		t.print(w, g.width())
	})
}

// ShelfShow prints the bytes of a shelved message as they came, or with a file writes them there.
func (g *Gateway) ShelfShow(ctx context.Context, id int64, file string) error {
	var s book.Shelved
	err := g.Client.Call(ctx, CallShelfShow, id, &s)
	switch {
	case err != nil:
		return g.orJSON(s, err)
	case file != "":
		const ownerOnly = 0o600
		return os.WriteFile(file, s.Body, ownerOnly)
	case g.JSON:
		return g.orJSON(s, nil)
	}
	_, err = g.Out.Write(s.Body)
	return err
}

// ShelfChange retries or drops shelved messages.
func (g *Gateway) ShelfChange(ctx context.Context, call string, ids []int64, what string) error {
	var n int
	err := g.Client.Call(ctx, call, ShelfQuery{IDs: ids}, &n)
	if err != nil || g.JSON {
		return g.orJSON(map[string]int{"messages": n}, err)
	}
	_, err = fmt.Fprintf(g.Out, "%d messages %s\n", n, what)
	return err
}
