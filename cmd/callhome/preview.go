package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"callhome"
	"callhome/agent"
	"callhome/config"
	"callhome/control"
	"callhome/ctl"
	"callhome/outbox"
)

const (
	// previewDir keeps previews, below data_dir.
	previewDir = "previews"
	// previewNumbers begin far above those of the outbox, so that a preview never has the message ID of another message.
	previewNumbers = 1 << 40
	// keptPreviews bounds how many are kept: enough to look back at an afternoon's work.
	keptPreviews = 100
	// previewDelivery is how long `preview --send` waits for its messages where no agent runs.
	previewDelivery = time.Minute
)

// kept is a preview as it is kept: `--send` sends these very bytes.
type kept struct {
	Number    uint64                `json:"number"`
	Made      time.Time             `json:"made"`
	Envelopes []ctl.PreviewEnvelope `json:"envelopes"`
}

func (a *app) preview() *cobra.Command {
	var file, group, profile, deviceName string
	var send bool
	var number uint64
	c := &cobra.Command{
		Use: "preview --config FILE --group GROUP [--profile NAME] [--send]", Args: cobra.NoArgs,
		Short: "Exactly the bytes that would be sent; --send sends those very bytes",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := loadConfig(file)
			if err != nil {
				return err
			}
			var k kept
			if number > 0 {
				k, err = loadPreview(cfg, number)
			} else {
				k, err = makePreview(c.Context(), cfg, group, profile, deviceName)
			}
			if err != nil {
				return err
			}
			if err := a.printPreview(k); err != nil || !send {
				return err
			}
			return a.sendPreview(c.Context(), cfg, k)
		},
	}
	c.Flags().StringVar(&file, "config", "", "configuration")
	c.Flags().StringVar(&group, "group", "", "alert group")
	c.Flags().StringVar(&profile, "profile", "", "destination profile; else all that subscribe")
	c.Flags().StringVar(&deviceName, "device", "", "hostname of a device the agent speaks for")
	c.Flags().BoolVar(&send, "send", false, "send exactly these bytes")
	c.Flags().Uint64Var(&number, "number", 0, "a preview made before")
	return c
}

// makePreview runs the group's commands, renders, and keeps the outcome under a number.
func makePreview(ctx context.Context, cfg *config.Agent, group, profile, deviceName string) (_ kept, err error) {
	g, err := callhome.ParseAlertGroup(group)
	if err != nil || g == callhome.GroupAll {
		return kept{}, usageError{fmt.Errorf("name an alert group with --group: %w", err)}
	}
	number, err := nextPreview(cfg)
	if err != nil {
		return kept{}, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(previewFile(cfg, number)) // nothing is kept under it
		}
	}()
	d := &device{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	discoverOwn(cfg)
	maker, err := d.renderer(ctx)
	if err != nil {
		return kept{}, err
	}
	envelopes, err := maker.Preview(ctx, agent.PreviewOrder{Group: g, Profile: callhome.ProfileName(profile), Device: deviceName, Number: previewNumbers + number*keptPreviews})
	if err != nil {
		return kept{}, err
	}
	k := kept{Number: number, Made: time.Now()}
	for _, e := range envelopes {
		k.Envelopes = append(k.Envelopes, ctl.PreviewEnvelope{Envelope: e, Body: e.Body})
	}
	b, err := json.Marshal(k)
	if err != nil {
		return kept{}, err
	}
	return k, os.WriteFile(previewFile(cfg, number), b, 0o600)
}

// printPreview writes the bytes alone to standard output, and what they are to standard error.
func (a *app) printPreview(k kept) error {
	if a.json {
		k.Envelopes = slices.Clone(k.Envelopes)
		for i := range k.Envelopes {
			mask(&k.Envelopes[i].Destination)
		}
		return json.NewEncoder(a.stdout).Encode(k)
	}
	for _, e := range k.Envelopes {
		fmt.Fprintf(a.stderr, "preview %d: message %s, profile %s, %s, to %s, %d bytes\n", k.Number, e.MessageID, e.Profile, e.Format, callhome.MaskURL(e.Destination.Address), len(e.Body))
		if _, err := a.stdout.Write(e.Body); err != nil {
			return err
		}
	}
	return nil
}

// sendPreview hands the bytes to the running agent; where none runs, it delivers them itself.
func (a *app) sendPreview(ctx context.Context, cfg *config.Agent, k kept) error {
	client := &control.Client{Path: cfg.Control}
	var n int
	err := client.Call(ctx, ctl.CallPut, k.Envelopes, &n)
	if callhome.KindOf(err) != callhome.KindUnavailable {
		if err == nil {
			fmt.Fprintf(a.stderr, "preview %d: %d messages are in the running agent's queue\n", k.Number, n)
		}
		return err
	}
	return a.deliverPreview(ctx, cfg, k)
}

// deliverPreview opens the outbox, which no agent holds, puts the messages in and waits until they are delivered.
func (a *app) deliverPreview(ctx context.Context, cfg *config.Agent, k kept) error {
	d, err := construct(ctx, cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.outbox.Put(ctx, ctl.Envelopes(k.Envelopes)...); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, previewDelivery)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- d.courier.Run(ctx) }()
	for ctx.Err() == nil {
		depth, err := d.outbox.Depth(ctx)
		if err != nil || depth.Entries == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	left, err := d.outbox.Depth(context.WithoutCancel(ctx))
	cancel()
	err = errors.Join(err, <-done)
	if err == nil && left.Entries > 0 {
		return callhome.Errorf(callhome.KindInternal, "not delivered yet: %d of the queue's messages; they stay in the outbox, and `callhome agent` goes on trying%s", left.Entries, d.lastError(context.WithoutCancel(ctx)))
	}
	if err == nil {
		fmt.Fprintf(a.stderr, "preview %d: delivered\n", k.Number)
	}
	return err
}

// lastError is why the oldest message still waits, to be put behind a sentence.
func (d *device) lastError(ctx context.Context) string {
	entries, err := d.outbox.List(ctx, outbox.Filter{Status: outbox.StatusQueued, Limit: 1})
	if err != nil || len(entries) == 0 || entries[0].LastError == "" {
		return ""
	}
	return "; the last try: " + entries[0].LastError
}

func previewFile(cfg *config.Agent, number uint64) string {
	return filepath.Join(cfg.DataDir, previewDir, strconv.FormatUint(number, 10)+".json")
}

func loadPreview(cfg *config.Agent, number uint64) (kept, error) {
	var k kept
	b, err := os.ReadFile(previewFile(cfg, number))
	if err != nil || len(b) == 0 { // empty: it was being made when its process was killed, or is being made now
		return k, callhome.Errorf(callhome.KindNotFound, "there is no preview %d; make one without --number", number)
	}
	return k, json.Unmarshal(b, &k)
}

// nextPreview takes the next free number by making its file, still empty; the oldest previews make room.
func nextPreview(cfg *config.Agent) (uint64, error) {
	dir := filepath.Join(cfg.DataDir, previewDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("preview: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("preview: %w", err)
	}
	var last uint64
	for _, e := range entries {
		var n uint64
		if _, err := fmt.Sscanf(e.Name(), "%d.json", &n); err == nil {
			last = max(last, n)
		}
	}
	for {
		last++
		f, err := os.OpenFile(previewFile(cfg, last), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, os.ErrExist) {
			continue // another preview took it meanwhile
		}
		if err != nil {
			return 0, fmt.Errorf("preview: %w", err)
		}
		if last > keptPreviews {
			_ = os.Remove(previewFile(cfg, last-keptPreviews))
		}
		return last, f.Close()
	}
}
