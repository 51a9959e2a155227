package collect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// Latch keeps the collector away from a device that refused a login. It opens when an operator calls
// [Collector.Unlatch], or when the settings of the device change.
type Latch struct {
	Device   string    `json:"device"`
	Settings string    `json:"settings"` // Device.Settings at the time of the refusal
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason"`
}

// LatchStore keeps latches over a restart: a service manager that restarts us must not lock an account.
type LatchStore interface {
	// Load returns what was saved last, nothing if nothing was.
	Load() ([]Latch, error)
	// Save replaces all of them; it returns once they are on disk.
	Save(latches []Latch) error
}

// FileLatches keeps latches in one JSON file, replaced as a whole.
type FileLatches string

// Load reads the file; a missing file means no latches.
func (f FileLatches) Load() ([]Latch, error) {
	b, err := os.ReadFile(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read refused logins: %w", err)
	}
	var out []Latch
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("refused logins in %s cannot be read, remove the file to log in to all devices again: %w", string(f), err)
	}
	return out, nil
}

// Save writes a new file beside the old one and puts it in its place.
func (f FileLatches) Save(latches []Latch) error {
	b, err := json.MarshalIndent(latches, "", "  ")
	if err != nil {
		return fmt.Errorf("encode refused logins: %w", err)
	}
	// One name for all: what a killed process left of it is written anew.
	tmp, err := os.OpenFile(string(f)+".tmp", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("save refused logins: %w", err)
	}
	_, werr := tmp.Write(append(b, '\n'))
	if err := errors.Join(werr, tmp.Sync(), tmp.Close()); err != nil {
		return errors.Join(fmt.Errorf("save refused logins: %w", err), os.Remove(tmp.Name()))
	}
	if err := os.Rename(tmp.Name(), string(f)); err != nil {
		return fmt.Errorf("save refused logins: %w", err)
	}
	return nil
}

// Latched lists the devices that nobody logs in to at present, by name.
func (c *Collector) Latched() []Latch {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latchList()
}

// latchList needs c.mu.
func (c *Collector) latchList() []Latch {
	out := make([]Latch, 0, len(c.latches))
	for _, l := range c.latches {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b Latch) int { return strings.Compare(a.Device, b.Device) })
	return out
}

// Unlatch lets the collector log in to a device again; false if nothing kept it away.
func (c *Collector) Unlatch(device string) bool {
	c.mu.Lock()
	_, was := c.latches[device]
	delete(c.latches, device)
	c.mu.Unlock()
	if was {
		c.saveLatches()
	}
	return was
}

func (c *Collector) latch(d Device, err error) {
	c.mu.Lock()
	c.latches[d.Name] = Latch{Device: d.Name, Settings: d.Settings, Since: c.now(), Reason: err.Error()}
	c.mu.Unlock()
	c.log.Error("login refused: no further login to this device until its settings change or an operator allows it", "device", d.Name, "err", err)
	c.saveLatches()
}

// saveLatches writes the present state. Writers take turns, so that the last state written is the last there was.
func (c *Collector) saveLatches() {
	if c.store == nil {
		return
	}
	c.saving.Lock()
	defer c.saving.Unlock()
	if err := c.store.Save(c.Latched()); err != nil {
		c.log.Error("refused logins are kept in memory only", "err", err)
	}
}

// dropStale removes latches of devices whose settings changed or that are gone; it needs c.mu.
func (c *Collector) dropStale() (dropped bool) {
	for name, l := range c.latches {
		if d, ok := c.devices[name]; !ok || d.Settings != l.Settings {
			delete(c.latches, name)
			dropped = true
		}
	}
	return dropped
}
