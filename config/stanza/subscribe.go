package stanza

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"callhome"
)

// httpScheme is what a destination by HTTP begins with.
var httpScheme = regexp.MustCompile(`(?i)^https?://[^\s/]+`)

// subscribe reads `subscribe-to-alert-group GROUP [export {full|minimum}] [periodic …] [severity L] [pattern P] [message N]`.
func subscribe(im *importer, a args) error {
	if len(a.words) == 0 {
		return errors.New("the alert group is missing")
	}
	g, err := im.group(a.words[0])
	if err != nil {
		return err
	}
	s := callhome.Subscription{Group: g}
	for at := 1; at < len(a.words); {
		n, err := im.option(&s, a, at)
		if err != nil {
			return err
		}
		at = n
	}
	if a.off {
		a.profile.unsubscribe(s)
		return nil
	}
	if s.Pattern != "" && s.Severity != nil && *s.Severity < im.limits.ThresholdMin {
		return fmt.Errorf("severity %s is not allowed with a pattern; the lowest is %s", *s.Severity, im.limits.ThresholdMin)
	}
	return a.profile.subscribe(s)
}

// group is an alert group that can be subscribed to.
func (im *importer) group(word string) (callhome.AlertGroup, error) {
	g, err := callhome.ParseAlertGroup(word)
	if err != nil || g == callhome.GroupAll {
		return g, err
	}
	if !slices.Contains(subscribable[im.pers.Name], g) {
		return "", fmt.Errorf("%s has no alert group %s to subscribe to", im.pers.Title, g)
	}
	return g, nil
}

// option reads one option of a subscription that begins with the n-th argument, and says where the next one begins.
func (im *importer) option(s *callhome.Subscription, a args, n int) (int, error) {
	value := ""
	if n+1 < len(a.words) {
		value = a.words[n+1]
	}
	switch a.word(n) {
	case "severity":
		level, err := callhome.ParseLevel(value)
		if err != nil {
			return 0, err
		}
		s.Severity = &level
	case "pattern":
		if err := im.take(&s.Pattern, im.limits.Pattern, value); err != nil {
			return 0, err
		}
		if _, err := regexp.Compile(value); err != nil {
			return 0, fmt.Errorf("the pattern is no regular expression here (RE2): %w", err)
		}
	case "message":
		if err := checkMessageIDs(value); err != nil {
			return 0, err
		}
		s.MessageIDs = []string{value}
	case "export":
		switch strings.ToLower(value) {
		case "full":
			s.Detail = callhome.DetailFull
		case "minimum":
			s.Detail = callhome.DetailBasic
		default:
			return 0, fmt.Errorf("export %q is neither full nor minimum", cut(value))
		}
	case "periodic":
		return schedule(s, a, n+1)
	default:
		return 0, errNotUnderstood
	}
	return n + 2, nil
}

var messageIDs = regexp.MustCompile(`^([0-9]{1,9})(?:-([0-9]{1,9}))?$`)

func checkMessageIDs(s string) error {
	m := messageIDs.FindStringSubmatch(s)
	if m == nil {
		return fmt.Errorf("%q is neither a message number nor a range such as 302013-302016", cut(s))
	}
	low, _ := strconv.Atoi(m[1]) // digits by the expression
	high, _ := strconv.Atoi(m[2])
	if m[2] != "" && high < low {
		return fmt.Errorf("%q runs backwards", s)
	}
	return nil
}

// schedule reads what follows `periodic`: interval N, hourly [M], daily [T], weekly [D [T]] or monthly [N [T]].
func schedule(s *callhome.Subscription, a args, n int) (int, error) {
	kind := a.word(n)
	n++
	sub := kind == "interval" || kind == "hourly"
	if !s.Group.Periodic() || kind == "interval" && s.Group != callhome.GroupSnapshot ||
		sub && s.Group != callhome.GroupSnapshot && s.Group != callhome.GroupTelemetry {
		return 0, fmt.Errorf("%s has no schedule of that kind", s.Group)
	}
	p := &callhome.Periodic{}
	var err error
	switch kind {
	case "interval":
		p.Interval, err = number(a.word(n), 1, 60)
		n++
	case "hourly":
		p.Hourly = &callhome.Hourly{}
		if minute, merr := number(a.word(n), 0, 59); merr == nil {
			p.Hourly.Minute = &minute
			n++
		}
	case "daily":
		p.Daily = &callhome.Daily{}
		n, err = clock(&p.Daily.At, a, n)
	case "weekly":
		p.Weekly = &callhome.Weekly{}
		if slices.Contains(weekdays, a.word(n)) {
			p.Weekly.Day = a.word(n)
			n++
		}
		n, err = clock(&p.Weekly.At, a, n)
	case "monthly":
		p.Monthly = &callhome.Monthly{}
		if day, derr := number(a.word(n), 1, 31); derr == nil {
			p.Monthly.Day = day
			n++
		}
		n, err = clock(&p.Monthly.At, a, n)
	default:
		return 0, fmt.Errorf("%q is no schedule; use interval, hourly, daily, weekly or monthly", cut(kind))
	}
	s.Periodic = p
	return n, err
}

var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// clock reads HH:MM if it is there.
func clock(at *string, a args, n int) (int, error) {
	hour, minute, ok := strings.Cut(a.word(n), ":")
	if !ok {
		return n, nil
	}
	h, err := number(hour, 0, 23)
	m, merr := number(minute, 0, 59)
	if err = errors.Join(err, merr); err != nil {
		return 0, fmt.Errorf("%q is no time such as 09:00", cut(a.word(n)))
	}
	*at = fmt.Sprintf("%02d:%02d", h, m)
	return n + 1, nil
}

// subscribe adds a subscription. One to the same thing is replaced; message numbers with the same threshold share one.
func (p *draft) subscribe(s callhome.Subscription) error {
	for i := range p.Subscribe {
		have := &p.Subscribe[i]
		switch {
		case have.Group != s.Group:
		case len(s.MessageIDs) > 0 && len(have.MessageIDs) > 0 && sameLevel(have.Severity, s.Severity):
			if len(have.MessageIDs) >= maxSubscriptions {
				return fmt.Errorf("there are %d message numbers already, and no more are taken", len(have.MessageIDs))
			}
			if !slices.Contains(have.MessageIDs, s.MessageIDs[0]) {
				have.MessageIDs = append(have.MessageIDs, s.MessageIDs...)
			}
			return nil
		case len(s.MessageIDs) == 0 && len(have.MessageIDs) == 0 && have.Pattern == s.Pattern:
			*have = s
			return nil
		}
	}
	if len(p.Subscribe) >= maxSubscriptions {
		return fmt.Errorf("there are %d subscriptions already, and no more are taken", len(p.Subscribe))
	}
	p.Subscribe = append(p.Subscribe, s)
	return nil
}

// unsubscribe removes what a `no` names: all of the group, or what has the same pattern or message number.
func (p *draft) unsubscribe(s callhome.Subscription) {
	p.Subscribe = slices.DeleteFunc(p.Subscribe, func(have callhome.Subscription) bool {
		switch {
		case s.Group == callhome.GroupAll:
			return true
		case have.Group != s.Group || s.Pattern != "" && have.Pattern != s.Pattern:
			return false
		case len(s.MessageIDs) > 0:
			return slices.Equal(have.MessageIDs, s.MessageIDs)
		}
		return true
	})
}

func sameLevel(a, b *callhome.Level) bool {
	return a == b || a != nil && b != nil && *a == *b
}
