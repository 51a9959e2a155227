package stanza

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"callhome"
)

// profiles writes the profiles' modes of IOS, IOS XR and the ASA.
func (e *exporter) profiles() {
	for i := range e.cfg.CallHome.Profiles {
		p := &e.cfg.CallHome.Profiles[i]
		key := fmt.Sprintf("profile %s", p.Name)
		if !e.allowed(key, e.limits.CheckProfileName(string(p.Name))) {
			continue
		}
		name := string(p.Name)
		if e.pers.Name == ios {
			name = `"` + name + `"`
		}
		e.put(1, "profile %s", name)
		if p.Active {
			e.put(2, "active")
		} else {
			e.put(2, "no active")
		}
		base := e.factory(p.Name)
		e.destinations(key, p, base)
		if p.Format != base.Format && p.Format != "" && (p.Format != callhome.FormatXML || base.Predefined) {
			e.put(2, "destination preferred-msg-format %s", p.Format)
		}
		e.size(key, p, base, func(n int) { e.put(2, "destination message-size-limit %d", n) })
		e.formNotes(key, p)
		if p.AnonymousOnly {
			e.put(2, "anonymous-reporting-only")
		}
		e.subscriptions(key, p, base)
		if e.pers.Name == iosxr {
			e.put(1, "!")
		}
	}
}

// factory is what a profile is before a line of it is read: the contents of a predefined one, or nothing.
func (e *exporter) factory(name callhome.ProfileName) *callhome.Profile {
	for _, p := range e.pers.Profiles() {
		if p.Name.Equal(name) {
			return &p
		}
	}
	return &callhome.Profile{}
}

// destinations writes the addresses and the transports that are on.
func (e *exporter) destinations(key string, p, base *callhome.Profile) {
	mails, urls := e.addresses(key, p)
	if base.Predefined && e.pers.Name != iosxr && len(urls) > 0 && len(mails) > 0 {
		e.note("%s: has one transport at a time on the device; e-mail is left out", key)
		mails = nil
	}
	for _, u := range base.HTTP {
		if !slices.Contains(urls, u) && (len(urls) == 0 || e.limits.URLs != 1) {
			e.put(2, "no destination address http %s", u)
		}
	}
	for _, u := range urls {
		e.put(2, "destination address http %s", u)
	}
	for _, m := range mails {
		e.put(2, "destination address email %s", m)
	}
	if len(urls) > 0 {
		e.put(2, "destination transport-method http")
	}
	switch {
	case len(mails) > 0 && (len(urls) > 0 || base.Predefined):
		e.put(2, "destination transport-method email")
	case len(mails) > 0 || len(urls) == 0 || base.Predefined || e.pers.Name == asa:
	case e.pers.Name == iosxr:
		e.put(2, "destination transport-method email disable")
	default:
		e.put(2, "no destination transport-method email")
	}
}

// addresses are those that the platform takes.
func (e *exporter) addresses(key string, p *callhome.Profile) (mails, urls []string) {
	for _, m := range p.Email {
		if e.allowed(key, e.limits.Email.Check(m)) {
			mails = append(mails, m)
		}
	}
	for _, u := range p.HTTP {
		if e.allowed(key, e.limits.URL.Check(u)) {
			urls = append(urls, u)
		}
	}
	if most := e.limits.Recipients; most > 0 && len(mails) > most {
		e.note("%s: the device takes %d mail addresses; left out: %s", key, most, strings.Join(mails[most:], ", "))
		mails = mails[:most]
	}
	if most := e.limits.URLs; most > 0 && len(urls) > most {
		e.note("%s: the device takes %d HTTP addresses; left out: %s", key, most, strings.Join(urls[most:], ", "))
		urls = urls[:most]
	}
	return mails, urls
}

// size writes a message size limit that differs from what the profile has without it.
func (e *exporter) size(key string, p, base *callhome.Profile, write func(int)) {
	of := func(n *int) int {
		if n == nil {
			return e.limits.MessageSize.Default
		}
		return *n
	}
	if n := of(p.MessageSizeLimit); n != of(base.MessageSizeLimit) && e.allowed(key, e.limits.CheckSize(n)) {
		write(n)
	}
}

// formNotes tells what else is chosen about a profile's form.
func (e *exporter) formNotes(key string, p *callhome.Profile) {
	if p.LongTextDialect != "" && !e.factory(p.Name).Predefined {
		e.note("%s: long_text_dialect: the device writes its own", key)
	}
	if p.ShortTextLabels {
		e.note("%s: short_text_labels: there is no command for it", key)
	}
}

// subscriptions writes what a profile subscribes to as far as a predefined one has not got it, and takes back what that
// has and this one has not.
func (e *exporter) subscriptions(key string, p, base *callhome.Profile) {
	var said []callhome.Subscription
	for i := range p.Subscribe {
		if s, ok := e.sayable(fmt.Sprintf("%s: subscribe[%d]", key, i), p.Subscribe[i]); ok {
			said = merge(said, s, e.pers.DefaultThreshold)
		}
	}
	for _, s := range base.Subscribe {
		same := func(have callhome.Subscription) bool { return have.Group == s.Group && have.Pattern == s.Pattern }
		if !slices.ContainsFunc(said, same) {
			e.put(2, "no subscribe-to-alert-group %s", strings.Join(append([]string{string(s.Group)}, pattern(&s)...), " "))
		}
	}
	for i := range said {
		same := func(s callhome.Subscription) bool { return reflect.DeepEqual(s, said[i]) }
		if e.pers.Name == asa || !slices.ContainsFunc(base.Subscribe, same) { // the ASA prints factory contents, too
			e.subscription(fmt.Sprintf("%s: subscribe %s", key, said[i].Group), &said[i])
		}
	}
}

// merge adds a subscription; of two that have become the same on the platform the lower threshold holds.
func merge(said []callhome.Subscription, s callhome.Subscription, standard callhome.Level) []callhome.Subscription {
	threshold := func(l *callhome.Level) callhome.Level {
		if l == nil {
			return standard
		}
		return *l
	}
	for i := range said {
		have := &said[i]
		if have.Group != s.Group || have.Pattern != s.Pattern || len(have.MessageIDs)+len(s.MessageIDs) > 0 {
			continue
		}
		if threshold(s.Severity) < threshold(have.Severity) {
			have.Severity = s.Severity
		}
		if have.Periodic == nil {
			have.Periodic = s.Periodic
		}
		if s.Detail == callhome.DetailFull {
			have.Detail = s.Detail
		}
		return said
	}
	return append(said, s)
}

// sayable is as much of a subscription as the platform has commands for; ok is false if that is nothing.
func (e *exporter) sayable(key string, s callhome.Subscription) (_ callhome.Subscription, ok bool) {
	if s.Group != callhome.GroupAll && !slices.Contains(subscribable[e.pers.Name], s.Group) {
		e.note("%s: the device has no alert group %s", key, s.Group)
		return s, false
	}
	if s.Detail == callhome.DetailFull && (e.pers.Name != asa || s.Group != callhome.GroupConfiguration) {
		e.note("%s: detail full: there is no command for it", key)
		s.Detail = ""
	}
	if len(s.Tags) > 0 {
		e.note("%s: tags: there is no command for them, and it takes more than here", key)
		s.Tags = nil
	}
	s.Pattern = e.sayablePattern(key, &s)
	ids := s.MessageIDs
	s.MessageIDs = nil
	for _, id := range ids {
		if e.pers.Name == asa && s.Group == callhome.GroupSyslog && checkMessageIDs(id) == nil {
			s.MessageIDs = append(s.MessageIDs, id)
			continue
		}
		e.note("%s: message_ids %s: there is no command for it", key, id)
	}
	only := len(ids) > 0 && s.Severity == nil && s.Pattern == ""
	return s, !only || len(s.MessageIDs) > 0
}

// sayablePattern is the pattern if the platform takes it. IOS XR wants one in every syslog subscription.
func (e *exporter) sayablePattern(key string, s *callhome.Subscription) string {
	fault := e.limits.Pattern.Check(s.Pattern)
	switch {
	case s.Pattern == "" && s.Group == callhome.GroupSyslog && e.pers.Name == iosxr:
		return ".*"
	case s.Pattern == "":
		return ""
	case e.pers.Name == asa || s.Group != callhome.GroupSyslog:
		fault = errors.New("there is no command for it")
	case strings.Contains(s.Pattern, `"`):
		fault = errors.New("it cannot have a double quote")
	}
	if fault != nil {
		e.note("%s: pattern %q: %v; the device takes more than here", key, s.Pattern, fault)
		return ""
	}
	return s.Pattern
}

func pattern(s *callhome.Subscription) []string {
	if s.Pattern == "" {
		return nil
	}
	return []string{"pattern", `"` + s.Pattern + `"`}
}

// subscription writes one; message numbers are a line each.
func (e *exporter) subscription(key string, s *callhome.Subscription) {
	words := []string{"subscribe-to-alert-group", string(s.Group)}
	if s.Detail == callhome.DetailFull {
		words = append(words, "export", "full")
	}
	if s.Periodic != nil {
		words = append(words, e.periodic(key, s.Periodic)...)
	}
	level := s.Severity
	if low := e.limits.ThresholdMin; s.Group == callhome.GroupSyslog && e.pers.Name == iosxr && (level == nil || *level < low) {
		level = &low // which it wants in every syslog subscription
	}
	if level != nil && (s.Group.HasThreshold() || s.Group == callhome.GroupAll) {
		words = append(words, "severity", level.String())
	}
	line := strings.Join(append(words, pattern(s)...), " ")
	if len(s.MessageIDs) == 0 {
		e.put(2, "%s", line)
	}
	for _, id := range s.MessageIDs {
		e.put(2, "%s message %s", line, id)
	}
}

// periodic writes a schedule. IOS and IOS XR take day and time together or neither.
func (e *exporter) periodic(key string, p *callhome.Periodic) []string {
	words := []string{"periodic"}
	switch {
	case p.Interval > 0:
		return append(words, "interval", fmt.Sprint(p.Interval))
	case p.Hourly != nil:
		words = append(words, "hourly")
		if p.Hourly.Minute != nil {
			words = append(words, fmt.Sprint(*p.Hourly.Minute))
		}
		return words
	case p.Daily != nil:
		return e.parts(key, append(words, "daily"), p.Daily.At)
	case p.Weekly != nil:
		return e.parts(key, append(words, "weekly"), strings.ToLower(p.Weekly.Day), p.Weekly.At)
	case p.Monthly != nil && p.Monthly.Day > 0:
		return e.parts(key, append(words, "monthly"), fmt.Sprint(p.Monthly.Day), p.Monthly.At)
	case p.Monthly != nil:
		return e.parts(key, append(words, "monthly"), "", p.Monthly.At)
	}
	return nil
}

// parts adds day and time as far as the platform takes them: a time without a day is never taken.
func (e *exporter) parts(key string, words []string, parts ...string) []string {
	for i, part := range parts {
		if short := slices.IndexFunc(weekdays, func(w string) bool { return len(part) == 3 && w[:3] == part }); short >= 0 {
			parts[i] = weekdays[short]
		}
	}
	given := slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" })
	complete := len(given) == len(parts)
	if complete || e.pers.Name == asa && parts[0] != "" {
		return append(words, given...)
	}
	if len(given) > 0 {
		e.note("%s: periodic: the device takes day and time together; both are left to it", key)
	}
	return words
}
