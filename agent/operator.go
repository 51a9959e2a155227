package agent

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"callhome"
)

// Taken says what became of an operator's order: it is durable, and goes to these profiles.
type Taken struct {
	Alert    callhome.AlertID       `json:"alert_id"`
	Profiles []callhome.ProfileName `json:"profiles,omitempty"`
	To       []callhome.Destination `json:"to,omitempty"`
}

// TestOrder is `callhome test`.
type TestOrder struct {
	Text    string               `json:"text,omitempty"`
	Profile callhome.ProfileName `json:"profile"`
}

// SendOrder is `callhome send`: an alert group to its subscribers or one profile, or the output of commands to an
// address.
type SendOrder struct {
	Group          callhome.AlertGroup  `json:"alert_group,omitempty"`
	Profile        callhome.ProfileName `json:"profile,omitempty"`
	Detail         callhome.Detail      `json:"detail,omitempty"`
	Module         string               `json:"module,omitempty"`   // diagnostic: the slot
	Commands       string               `json:"commands,omitempty"` // separated by semicolons
	Email          string               `json:"email,omitempty"`
	HTTP           string               `json:"http,omitempty"`
	Format         callhome.Format      `json:"format,omitempty"`
	ServiceRequest string               `json:"service_request,omitempty"`
	Device         string               `json:"device,omitempty"` // hostname; "" is the own device
}

// RequestOrder is `callhome request`.
type RequestOrder struct {
	Service string               `json:"service"`
	Command string               `json:"command,omitempty"` // output-analysis: whose output
	Profile callhome.ProfileName `json:"profile,omitempty"`
	CCOID   string               `json:"ccoid,omitempty"`
	Device  string               `json:"device,omitempty"`
}

// onDemand lists the groups `send alert-group` takes.
var onDemand = map[callhome.AlertGroup]bool{
	callhome.GroupConfiguration: true, callhome.GroupInventory: true, callhome.GroupSnapshot: true, callhome.GroupTelemetry: true,
	callhome.GroupDiagnostic: true, callhome.GroupCrash: true, callhome.GroupEnvironment: true, callhome.GroupThreat: true,
}

// services are what a request may ask for, and the commands whose output each needs.
var services = map[string][]string{
	"output-analysis":   nil,
	"config-sanity":     {"show running-config"},
	"bugs-list":         {"show running-config", "show version"},
	"command-reference": {"show running-config"},
	"product-advisory":  {"show running-config", "show version", "show inventory"},
	"security-advisory": {"show running-config", "show version", "show inventory"}, // another word for product-advisory
}

// Test sends a test message to one profile, which may be inactive.
func (a *Agent) Test(ctx context.Context, o TestOrder) (Taken, error) {
	p := a.plan.Load()
	profile, err := p.named(o.Profile)
	if err != nil {
		return Taken{}, err
	}
	if err := p.devices.own.personality.Limits.TestText.Check(o.Text); err != nil {
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "test text: %w", err)
	}
	alert := a.order(p.devices.own, callhome.GroupTest, first(o.Text, "test message"))
	alert.Type, alert.Level, alert.Profiles = "TEST", callhome.LevelNormal, []callhome.ProfileName{profile.Name}
	return a.put(ctx, alert)
}

// Send carries out a SendOrder; a profile's threshold and active flag do not count.
func (a *Agent) Send(ctx context.Context, o SendOrder) (Taken, error) {
	p := a.plan.Load()
	t, err := p.device(o.Device)
	if err != nil {
		return Taken{}, err
	}
	if o.Commands != "" {
		return a.sendCommands(ctx, p, t, o)
	}
	if !onDemand[o.Group] {
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "alert group %q cannot be sent on demand; use configuration, inventory, snapshot, telemetry, diagnostic, environment, threat or crash", o.Group)
	}
	alert := a.order(t, o.Group, fmt.Sprintf("%s message on demand", o.Group))
	alert.Level, alert.Detail, alert.Object = callhome.LevelNormal, o.Detail, o.Module
	if o.Profile != "" {
		profile, err := p.named(o.Profile)
		if err != nil {
			return Taken{}, err
		}
		if err := anonymousOnly(profile, o.Group); err != nil {
			return Taken{}, err
		}
		alert.Profiles = []callhome.ProfileName{profile.Name}
	} else {
		for i := range p.profiles {
			if p.profiles[i].Active && subscribed(&p.profiles[i], o.Group) && anonymousOnly(&p.profiles[i], o.Group) == nil {
				alert.Profiles = append(alert.Profiles, p.profiles[i].Name)
			}
		}
	}
	if len(alert.Profiles) == 0 {
		return Taken{}, callhome.Errorf(callhome.KindNotFound, "no active profile subscribes to %s; name one with --profile", o.Group)
	}
	return a.put(ctx, alert)
}

func subscribed(p *callhome.Profile, g callhome.AlertGroup) bool {
	for _, s := range p.Subscribe {
		if s.Group == g || s.Group == callhome.GroupAll {
			return true
		}
	}
	return false
}

func (a *Agent) sendCommands(ctx context.Context, p *plan, t *target, o SendOrder) (Taken, error) {
	l := &t.personality.Limits
	if err := l.CommandList.Check(o.Commands); err != nil {
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "commands: %w", err)
	}
	if err := l.ServiceRequest.Check(o.ServiceRequest); err != nil {
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "service request: %w", err)
	}
	alert := a.order(t, callhome.GroupSendCLI, "output of "+o.Commands)
	alert.Level, alert.Format = callhome.LevelNormal, o.Format
	for c := range strings.SplitSeq(o.Commands, ";") {
		if c = strings.TrimSpace(c); c != "" {
			alert.Commands = append(alert.Commands, c)
		}
	}
	alert.Request = &callhome.Request{ServiceRequest: o.ServiceRequest}
	switch {
	case o.HTTP != "":
		if !httpScheme.MatchString(o.HTTP) {
			return Taken{}, callhome.Errorf(callhome.KindInvalid, "%q is not an http:// or https:// address", callhome.MaskURL(o.HTTP))
		}
		alert.To = []callhome.Destination{{Transport: callhome.TransportHTTP, Address: o.HTTP}}
		alert.Request.ForwardAddress = o.Email
		alert.Format = callhome.FormatXML
	case o.Email != "":
		if !strings.Contains(o.Email, "@") || strings.ContainsAny(o.Email, " \r\n") {
			return Taken{}, callhome.Errorf(callhome.KindInvalid, "%q is not a mail address", o.Email)
		}
		alert.To = []callhome.Destination{{Transport: callhome.TransportEmail, Address: o.Email}}
	default:
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "say where to with --email or --http")
	}
	if alert.Format == "" {
		alert.Format = callhome.FormatFull
	}
	return a.put(ctx, alert)
}

// Request asks the back end for a service.
func (a *Agent) Request(ctx context.Context, o RequestOrder) (Taken, error) {
	p := a.plan.Load()
	t, err := p.device(o.Device)
	if err != nil {
		return Taken{}, err
	}
	commands, known := services[o.Service]
	if !known {
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "service %q is not one of output-analysis, config-sanity, bugs-list, command-reference, product-advisory", o.Service)
	}
	if o.Service == "output-analysis" {
		if o.Command == "" {
			return Taken{}, callhome.Errorf(callhome.KindInvalid, "output-analysis needs a show command")
		}
		commands = []string{o.Command}
	}
	if err := t.personality.Limits.CCOID.Check(o.CCOID); err != nil {
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "ccoid: %w", err)
	}
	name := o.Profile
	if name == "" {
		name = callhome.ProfileCiscoTAC
	}
	profile, err := p.named(name)
	switch {
	case err != nil:
		return Taken{}, err
	case o.Profile == "" && !profile.Active: // nothing goes to a vendor unasked
		return Taken{}, callhome.Errorf(callhome.KindInvalid, "profile %s is inactive; activate it, or name a profile with --profile: %s", name, p.profileNames())
	}
	if err := anonymousOnly(profile, callhome.GroupRequest); err != nil {
		return Taken{}, err
	}
	alert := a.order(t, callhome.GroupRequest, strings.TrimSpace(o.Service+" "+o.Command))
	alert.Level, alert.Subtype, alert.Commands = callhome.LevelNormal, o.Service, commands
	alert.Request = &callhome.Request{Service: o.Service, CCOID: o.CCOID}
	alert.Profiles = []callhome.ProfileName{profile.Name}
	return a.put(ctx, alert)
}

// order is an alert an operator asks for. It passes neither threshold nor throttle.
func (a *Agent) order(t *target, g callhome.AlertGroup, text string) callhome.Alert {
	now := a.parts.Now()
	return callhome.Alert{
		Event: callhome.Event{Source: callhome.SourceOperator, ReceivedAt: now, Time: now, Device: t.name, Text: text, Severity: -1},
		Group: g, Level: callhome.LevelNormal, State: callhome.StateNone, Personality: string(t.personality.Name),
	}
}

func (a *Agent) put(ctx context.Context, alert callhome.Alert) (Taken, error) {
	ids, err := a.parts.Outbox.PutAlerts(ctx, []callhome.Alert{alert})
	if err != nil {
		return Taken{}, err
	}
	a.stats.admitted(&alert)
	a.watch(Happening{At: alert.ReceivedAt, What: Admitted, Device: alert.Device, Group: alert.Group, Level: alert.Level, Text: alert.Text})
	return Taken{Alert: ids[0], Profiles: alert.Profiles, To: alert.To}, nil
}

// named finds a profile for an operator.
func (p *plan) named(name callhome.ProfileName) (*callhome.Profile, error) {
	if name == "" {
		return nil, callhome.Errorf(callhome.KindInvalid, "name a profile with --profile; there are: %s", p.profileNames())
	}
	if profile := p.profile(name); profile != nil {
		if len(profile.Email)+len(profile.HTTP) == 0 {
			return nil, callhome.Errorf(callhome.KindInvalid, "profile %s has no destination; give it email or http", profile.Name)
		}
		return profile, nil
	}
	return nil, callhome.Errorf(callhome.KindNotFound, "there is no profile %q; there are: %s", name, p.profileNames())
}

func (p *plan) profileNames() string {
	names := make([]string, len(p.profiles))
	for i := range p.profiles {
		names[i] = string(p.profiles[i].Name)
	}
	return strings.Join(names, ", ")
}

// device finds a device for an operator.
func (p *plan) device(name string) (*target, error) {
	if name == "" {
		return p.devices.own, nil
	}
	if !utf8.ValidString(name) || len(name) > maxHostname {
		return nil, callhome.Errorf(callhome.KindInvalid, "the device name is not usable")
	}
	if strings.EqualFold(name, p.devices.own.device.Hostname) {
		return p.devices.own, nil
	}
	if t := p.devices.byName[strings.TrimSuffix(strings.ToLower(name), ".")]; t != nil {
		return t, nil
	}
	return nil, callhome.Errorf(callhome.KindNotFound, "no device is called %q; see `callhome show call-home`", name)
}
