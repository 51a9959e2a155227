package ctl

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"

	"callhome"
	"callhome/agent"
	"callhome/control"
	"callhome/outbox"
	"callhome/personality"
)

// Call names of a running agent. cmd/callhome serves them, this package asks.
const (
	CallStatus     = "status"
	CallStatistics = "statistics"
	CallEvents     = "events"
	CallModules    = "modules"
	CallMail       = "mail-servers"
	CallHistory    = "history"
	CallTest       = "test"
	CallSend       = "send"
	CallRequest    = "request"
	CallRunning    = "running-config"
	CallReload     = "reload"
	CallQueueList  = "queue-list"
	CallQueueShow  = "queue-show"
	CallQueueRetry = "queue-retry"
	CallQueueDrop  = "queue-drop"
	CallPut        = "put"
	CallUnlatch    = "unlatch"
)

// notSet is what IOS prints for a setting that has no value.
const notSet = "Not yet set up"

// Shower prints what a running agent says, in its device's layout or as JSON.
type Shower struct {
	Client *control.Client
	Out    io.Writer
	JSON   bool
	Width  int // characters of a line of a list; 0: defaultWidth
}

func (s *Shower) width() int {
	if s.Width <= 0 {
		return defaultWidth
	}
	return s.Width
}

// layoutOf is the layout of a personality: platforms without published layouts use that of IOS-XE.
func layoutOf(name string) string {
	switch personality.Name(name) {
	case personality.NXOS, personality.ASA:
		return name
	}
	return string(personality.IOS)
}

// CallHome prints the current settings; with detail every profile in full.
func (s *Shower) CallHome(ctx context.Context, detail bool) error {
	st, err := s.status(ctx)
	if err != nil || s.JSON {
		return s.orJSON(st, err)
	}
	mail, err := s.mail(ctx)
	if err != nil {
		return err
	}
	return s.print(func(w *bufio.Writer) { printSettings(w, st, mail, detail) })
}

func printSettings(w *bufio.Writer, st agent.Status, mail []MailServer, detail bool) {
	switch layoutOf(st.Personality) {
	case string(personality.NXOS):
		nxosSettings(w, st)
		if detail {
			nxosProfiles(w, st, st.Profiles)
		}
	case string(personality.ASA):
		asaSettings(w, st, mail)
		if detail {
			asaProfiles(w, st.Profiles)
		}
	default:
		iosSettings(w, st, mail)
		if detail {
			iosProfiles(w, st.Profiles, "    ")
		}
	}
	if detail {
		printDevices(w, st)
	}
}

// Version prints the version of the format and of what makes messages: all of it is one program here.
func (s *Shower) Version(ctx context.Context) error {
	st, err := s.status(ctx)
	if err != nil || s.JSON {
		return s.orJSON(map[string]string{"call_home": formatVersion, "component": st.Version}, err)
	}
	return s.print(func(w *bufio.Writer) { printVersion(w, st) })
}

// formatVersion is the version that devices with today's messages name.
const formatVersion = "3.0"

func printVersion(w *bufio.Writer, st agent.Status) {
	fmt.Fprintf(w, "Call-Home Version %s\nComponent Version:\n call-home: %s\n eem-call-home: %s\n", formatVersion, st.Version, st.Version)
}

// AlertGroups prints the alert groups and whether they are enabled.
func (s *Shower) AlertGroups(ctx context.Context) error {
	st, err := s.status(ctx)
	if err != nil || s.JSON {
		return s.orJSON(st.Groups, err)
	}
	return s.print(func(w *bufio.Writer) { printGroups(w, st) })
}

func printGroups(w *bufio.Writer, st agent.Status) {
	if layoutOf(st.Personality) == string(personality.ASA) {
		asaGroups(w, st)
		return
	}
	iosGroups(w, st)
}

// Profile prints one profile, or with "all" every one.
func (s *Shower) Profile(ctx context.Context, name string) error {
	st, err := s.status(ctx)
	if err != nil {
		return err
	}
	profiles := st.Profiles
	if !strings.EqualFold(name, "all") {
		profiles = nil
		for _, p := range st.Profiles {
			if p.Name.Equal(callhome.ProfileName(name)) {
				profiles = append(profiles, p)
			}
		}
		if profiles == nil {
			return callhome.Errorf(callhome.KindNotFound, "there is no profile %q; `show call-home profile all` lists them", name)
		}
	}
	if s.JSON {
		return printJSON(s.Out, profiles)
	}
	return s.print(func(w *bufio.Writer) { printProfiles(w, st, profiles) })
}

func printProfiles(w *bufio.Writer, st agent.Status, profiles []callhome.Profile) {
	switch layoutOf(st.Personality) {
	case string(personality.NXOS):
		nxosProfiles(w, st, profiles)
	case string(personality.ASA):
		asaProfiles(w, profiles)
	default:
		iosProfiles(w, profiles, "")
	}
}

// MailServers prints whether each mail server can be reached.
func (s *Shower) MailServers(ctx context.Context) error {
	mail, err := s.mail(ctx)
	if err != nil || s.JSON {
		return s.orJSON(mail, err)
	}
	st, err := s.status(ctx)
	if err != nil {
		return err
	}
	return s.print(func(w *bufio.Writer) { printMailServers(w, st.Personality, mail) })
}

func printMailServers(w *bufio.Writer, personal string, mail []MailServer) {
	if len(mail) == 0 {
		fmt.Fprintln(w, "Mail-server: "+notSet)
	}
	for i, m := range mail {
		secure := fmt.Sprintf("  Secure: %s", m.Secure)
		if layoutOf(personal) == string(personality.ASA) {
			secure = ""
		}
		fmt.Fprintf(w, "Mail-server[%d]: Address: %s Priority: %d%s [%s]\n", i+1, m.Address, m.Priority, secure, stateWord(m.State))
		if m.Error != "" {
			fmt.Fprintf(w, "    %s\n", oneLine(m.Error))
		}
	}
}

// Events prints what the profiles listen to.
func (s *Shower) Events(ctx context.Context) error {
	var events []agent.EventStatus
	err := s.Client.Call(ctx, CallEvents, nil, &events)
	if err != nil || s.JSON {
		return s.orJSON(events, err)
	}
	return s.print(func(w *bufio.Writer) { printEvents(w, events) })
}

func printEvents(w *bufio.Writer, events []agent.EventStatus) {
	const row = "%-20s %-16s %-22s %-13s %-13s %s\n"
	fmt.Fprintf(w, " Active event list:\n"+row, "Profile", "Alert Group", "Internal Index (a/b)", "Severity", "Subscription", "Last Triggered Time")
	for _, e := range events {
		fmt.Fprintf(w, row, e.Profile, e.Group, fmt.Sprintf("%d/%d", e.Index, e.Of), e.Severity, e.Subscription, stamp(e.Last))
	}
}

// Modules prints the parts that may raise events; without all only the enabled ones.
func (s *Shower) Modules(ctx context.Context, all bool) error {
	var modules []agent.ModuleStatus
	err := s.Client.Call(ctx, CallModules, nil, &modules)
	if !all {
		kept := modules[:0]
		for _, m := range modules {
			if m.Enabled {
				kept = append(kept, m)
			}
		}
		modules = kept
	}
	if err != nil || s.JSON {
		return s.orJSON(modules, err)
	}
	return s.print(func(w *bufio.Writer) { printModules(w, modules) })
}

func printModules(w *bufio.Writer, modules []agent.ModuleStatus) {
	fmt.Fprintf(w, "%-20s %-10s %s\n", "Module", "State", "Events")
	for _, m := range modules {
		state := "disabled"
		if m.Enabled {
			state = "enabled"
		}
		fmt.Fprintf(w, "%-20s %-10s %d\n", m.Name, state, m.Events)
	}
}

// HistoryQuery asks for the ledger.
type HistoryQuery struct {
	MessageID callhome.MessageID `json:"message_id,omitempty"`
	Limit     int                `json:"limit,omitempty"`
}

// History prints what became of each alert, newest first, or of one message.
func (s *Shower) History(ctx context.Context, q HistoryQuery) error {
	lines := []outbox.Outcome{} // a list also where there is nothing to tell
	err := s.Client.Call(ctx, CallHistory, q, &lines)
	if err == nil && q.MessageID != "" && len(lines) == 0 {
		err = callhome.Errorf(callhome.KindNotFound, "the history knows no message %q", q.MessageID)
	}
	if err != nil || s.JSON {
		return s.orJSON(lines, err)
	}
	return s.print(func(w *bufio.Writer) {
		printHistory(w, lines, s.width())
		if q.Limit <= 0 && len(lines) == outbox.DefaultLimit {
			fmt.Fprintf(w, "These are the latest %d; --limit shows more.\n", len(lines))
		}
	})
}

func printHistory(w *bufio.Writer, lines []outbox.Outcome, width int) {
	t := table{columns: []column{
		{"Time (UTC)", 19, 19}, {"Status", 7, 7}, {"Alert group", 11, 7}, {"Device", 12, 6}, {"Profile", 10, 6},
		{"Message ID", width, 11}, {"Destination", 14, 8}, {"Reason", wordy(width), 9},
	}}
	for i := range lines {
		o := &lines[i]
		t.add(when(o.At, "n/a"), string(o.Status), string(o.Group), o.Device, string(o.Profile), string(o.MessageID), o.Destination.Address, why(o))
	}
	t.print(w, width)
}

// why is what a history line says beyond its status.
func why(o *outbox.Outcome) string {
	var out []string
	if string(o.Reason) != string(o.Status) && o.Reason != "" {
		out = append(out, string(o.Reason))
	}
	if o.Attempts > 1 {
		out = append(out, fmt.Sprintf("%d tries", o.Attempts))
	}
	if o.Detail != "" {
		out = append(out, o.Detail)
	}
	return strings.Join(out, ", ")
}

// when is a time as lists print it, in UTC without saying so, for which their titles are; zero is otherwise.
func when(t time.Time, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return t.UTC().Format(time.DateTime)
}

// Running prints the configuration in use, secrets masked; with all the defaults too.
func (s *Shower) Running(ctx context.Context, all bool) error {
	var text string
	if err := s.Client.Call(ctx, CallRunning, all, &text); err != nil {
		return err
	}
	if s.JSON {
		return printJSON(s.Out, map[string]string{"running_config": text})
	}
	_, err := io.WriteString(s.Out, text)
	return err
}

func (s *Shower) status(ctx context.Context) (agent.Status, error) {
	var st agent.Status
	err := s.Client.Call(ctx, CallStatus, nil, &st)
	return st, err
}

// MailServer is a mail server as it stands.
type MailServer struct {
	Address  string `json:"address"`
	Priority int    `json:"priority"`
	Secure   string `json:"secure"`
	State    string `json:"state"` // available, not_available, or unknown before the first mail
	Error    string `json:"error,omitempty"`
}

// stateWord is a mail server's state as devices print it: Available, Not Available.
func stateWord(state string) string {
	words := strings.Fields(strings.ReplaceAll(state, "_", " "))
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, " ")
}

func (s *Shower) mail(ctx context.Context) ([]MailServer, error) {
	var mail []MailServer
	err := s.Client.Call(ctx, CallMail, nil, &mail)
	return mail, err
}

func (s *Shower) orJSON(v any, err error) error {
	if err != nil {
		return err
	}
	if list := reflect.ValueOf(v); list.Kind() == reflect.Slice && list.IsNil() {
		v = []struct{}{} // an empty list, not null
	}
	return printJSON(s.Out, v)
}

func (s *Shower) print(f func(*bufio.Writer)) error {
	w := bufio.NewWriter(s.Out)
	f(w)
	return w.Flush()
}

// printDevices lists the devices the agent speaks for, and senders that no entry knows.
func printDevices(w *bufio.Writer, st agent.Status) {
	if len(st.Devices) > 0 {
		fmt.Fprintf(w, "\nDevices:\n    %-24s %-20s %-12s %-16s %-16s %s\n", "Hostname", "Address", "Personality", "Model", "Serial", "Commands")
		for _, d := range st.Devices {
			commands := "no"
			if d.Commands {
				commands = "yes"
			}
			if d.Refused != "" {
				commands = "stopped: " + d.Refused
			}
			fmt.Fprintf(w, "    %-24s %-20s %-12s %-16s %-16s %s\n", d.Hostname, d.Address, d.Personality, d.Model, d.Serial, commands)
		}
	}
	if len(st.Strangers) > 0 {
		fmt.Fprintf(w, "\nSenders without an entry, served as generic:\n")
		for _, k := range st.Strangers {
			fmt.Fprintf(w, "    %-40s last seen %s\n", k.Name, stamp(k.Last))
		}
	}
}
