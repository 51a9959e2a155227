package route

import (
	"regexp"
	"strconv"
	"strings"

	"callhome"
	"callhome/codec/syslog"
	"callhome/personality"
)

// naive decides by reading the configuration anew for every subject: what the table is held to.
func naive(cfg *Config, s Subject) []Decision {
	var out []Decision
	for _, g := range cfg.Disabled {
		if g == s.Group {
			return nil
		}
	}
	for i := range cfg.Profiles {
		p := &cfg.Profiles[i]
		reporting := p.AnonymousOnly && p.Name == callhome.ProfileAnonymous
		if reporting && !cfg.Anonymous || !reporting && !cfg.Enabled || !p.Active {
			continue
		}
		if p.AnonymousOnly && s.Group != callhome.GroupCrash && s.Group != callhome.GroupInventory && s.Group != callhome.GroupTest {
			continue
		}
		d := Decision{Profile: i, Name: p.Name, Reason: callhome.ReasonSent}
		taken := false
		for j := range p.Subscribe {
			if naiveTakes(cfg, &p.Subscribe[j], &s) {
				taken = true
				if p.Subscribe[j].Detail == callhome.DetailFull {
					d.Detail = callhome.DetailFull
				}
			}
		}
		if taken {
			out = append(out, d)
		}
	}
	return out
}

func naiveTakes(cfg *Config, sub *callhome.Subscription, s *Subject) bool {
	cluster := strings.HasPrefix(s.Type, "CLUSTER_")
	switch {
	case sub.Group == callhome.GroupAll:
	case cluster && sub.Group == callhome.GroupDiagnostic:
	case !cluster && sub.Group == s.Group:
	case !cluster && sub.Group == callhome.GroupSyslog: // subjects of these tests are log lines
	case !cluster && sub.Group == callhome.GroupCiscoTAC && cfg.Personality.CiscoTAC(s.Group, s.Level):
	default:
		return false
	}
	tags := true
	for k, v := range sub.Tags {
		tags = tags && naiveTag(s, k, v)
	}
	if !tags {
		return false
	}
	for _, id := range sub.MessageIDs {
		if naiveID(s.Line, id) {
			return true
		}
	}
	if len(sub.MessageIDs) > 0 && sub.Severity == nil && sub.Pattern == "" {
		return false
	}
	if s.Group.HasThreshold() || sub.Group == callhome.GroupSyslog {
		threshold := cfg.Personality.DefaultThreshold
		if sub.Severity != nil {
			threshold = *sub.Severity
		}
		if s.Level < threshold {
			return false
		}
	}
	return regexp.MustCompile(sub.Pattern).Match(s.Line.Raw)
}

func naiveTag(s *Subject, key, value string) bool {
	for k, v := range s.Line.Params() {
		if v == value && (k == key || strings.HasPrefix(k, key+".")) {
			return true
		}
	}
	return false
}

func naiveID(l *syslog.Line, id string) bool {
	lo, hi, _ := strings.Cut(id, "-")
	n, err := strconv.Atoi(string(l.MessageID))
	if a, errA := strconv.Atoi(lo); errA == nil {
		b, errB := strconv.Atoi(hi)
		if errB != nil {
			b = a
		}
		return err == nil && n >= a && n <= b
	}
	switch id {
	case string(l.Mnemonic), string(l.MessageID), string(l.CoreFacility) + "-" + string(l.Mnemonic):
		return true
	}
	return false
}

func mustPersonality(name personality.Name) *personality.Personality {
	p, ok := personality.ByName(string(name))
	if !ok {
		panic("no personality " + name)
	}
	return p
}
