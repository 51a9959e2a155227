package stanza

import (
	"fmt"
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
		e.form(key, p, "destination preferred-msg-format %s", "destination message-size-limit %d")
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

// form writes a profile's format and size limit.
func (e *exporter) form(key string, p *callhome.Profile, format, size string) {
	if p.Format != callhome.FormatXML && p.Format != "" {
		e.put(2, format, p.Format)
	}
	if n := p.MessageSizeLimit; n != nil && e.allowed(key, e.limits.CheckSize(*n)) {
		e.put(2, size, *n)
	}
	e.formNotes(key, p)
}

func (e *exporter) formNotes(key string, p *callhome.Profile) {
	if p.LongTextDialect != "" && !e.factory(p.Name).Predefined {
		e.note("%s: long_text_dialect: the device writes its own", key)
	}
	if p.ShortTextLabels {
		e.note("%s: short_text_labels: there is no command for it", key)
	}
}

// subscriptions writes what a profile subscribes to, and takes back what a predefined one has and this one has not.
func (e *exporter) subscriptions(key string, p, base *callhome.Profile) {
	for _, s := range base.Subscribe {
		same := func(have callhome.Subscription) bool { return have.Group == s.Group && have.Pattern == s.Pattern }
		if !slices.ContainsFunc(p.Subscribe, same) {
			e.put(2, "no subscribe-to-alert-group %s", strings.Join(append([]string{string(s.Group)}, pattern(&s)...), " "))
		}
	}
	for i := range p.Subscribe {
		e.subscription(fmt.Sprintf("%s: subscribe[%d]", key, i), &p.Subscribe[i])
	}
}

func pattern(s *callhome.Subscription) []string {
	if s.Pattern == "" {
		return nil
	}
	return []string{"pattern", `"` + s.Pattern + `"`}
}

// subscription writes one, a line for each list of message numbers it has.
func (e *exporter) subscription(key string, s *callhome.Subscription) {
	if s.Group != callhome.GroupAll && !slices.Contains(subscribable[e.pers.Name], s.Group) {
		e.note("%s: the device has no alert group %s", key, s.Group)
		return
	}
	words := []string{"subscribe-to-alert-group", string(s.Group)}
	if s.Detail == callhome.DetailFull {
		if e.pers.Name == asa && s.Group == callhome.GroupConfiguration {
			words = append(words, "export", "full")
		} else {
			e.note("%s: detail full: there is no command for it", key)
		}
	}
	if s.Periodic != nil {
		words = append(words, e.periodic(key, s.Periodic)...)
	}
	words = append(words, e.threshold(key, s)...)
	if len(s.Tags) > 0 {
		e.note("%s: tags: there is no command for them, and it takes more than here", key)
	}
	e.withMessages(key, s, strings.Join(words, " "))
}

// threshold writes severity and pattern, in the order the platforms do.
func (e *exporter) threshold(key string, s *callhome.Subscription) (words []string) {
	level := s.Severity
	text := s.Pattern
	if s.Group == callhome.GroupSyslog && e.pers.Name == iosxr { // wants both
		if low := e.limits.ThresholdMin; level == nil || *level < low {
			level = &low
		}
		if text == "" {
			text = ".*"
		}
	}
	if level != nil && (s.Group.HasThreshold() || s.Group == callhome.GroupAll) {
		words = append(words, "severity", level.String())
	}
	switch {
	case text == "":
	case e.pers.Name == asa || s.Group != callhome.GroupSyslog:
		e.note("%s: pattern %q: there is no command for it, and it takes more than here", key, text)
	case strings.Contains(text, `"`):
		e.note("%s: pattern %q: a pattern cannot have a double quote, and it takes more than here", key, text)
	case e.allowed(key, e.limits.Pattern.Check(text)):
		words = append(words, "pattern", `"`+text+`"`)
	}
	return words
}

// withMessages writes the line, or one line for every message number on the ASA.
func (e *exporter) withMessages(key string, s *callhome.Subscription, line string) {
	if len(s.MessageIDs) == 0 {
		e.put(2, "%s", line)
		return
	}
	wrote := false
	for _, id := range s.MessageIDs {
		if e.pers.Name == asa && s.Group == callhome.GroupSyslog && checkMessageIDs(id) == nil {
			e.put(2, "%s message %s", line, id)
			wrote = true
			continue
		}
		e.note("%s: message_ids %s: there is no command for it", key, id)
	}
	if !wrote && (s.Severity != nil || s.Pattern != "") {
		e.put(2, "%s", line)
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
