package stanza

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"callhome/deliver/smtpsend"
)

// mailServer reads `mail-server [USER:PASSWORD@]HOST priority N [secure {none|tls}] [all]` of IOS, IOS XR and the ASA.
func mailServer(im *importer, a args) error {
	if len(a.words) == 0 {
		return errors.New("the server is missing")
	}
	s, err := parseLogin(a.words[0])
	if err != nil {
		return err
	}
	if a.off {
		im.dropServer(s.Host)
		return nil
	}
	if err := im.limits.MailServer.Check(a.words[0]); err != nil {
		return err
	}
	for i := 1; i < len(a.words); i++ {
		switch a.word(i) {
		case "priority":
			i++
			if s.Priority, err = number(a.word(i), im.limits.MailPriority.Min, im.limits.MailPriority.Max); err != nil {
				return fmt.Errorf("priority: %w", err)
			}
		case "secure":
			i++
			switch a.word(i) {
			case "tls":
				s.Security = smtpsend.SecurityTLS
			case "none":
			default:
				return fmt.Errorf("secure %s is neither none nor tls", cut(a.word(i)))
			}
		case "all":
		default:
			return errNotUnderstood
		}
	}
	s.InsecureAuth = s.Username != "" && s.Security == smtpsend.SecurityNone
	return im.addServer(s)
}

// parseLogin takes USER:PASSWORD@HOST apart; IOS keeps the login in the server's name.
func parseLogin(name string) (s smtpsend.Server, err error) {
	s.Security, s.Host = smtpsend.SecurityNone, name
	if i := strings.LastIndexByte(name, '@'); i >= 0 {
		user, password, ok := strings.Cut(name[:i], ":")
		if !ok || user == "" || password == "" {
			return s, errors.New("the login is not of the form USER:PASSWORD@HOST")
		}
		if err := errors.Join(plain(user), plain(password)); err != nil {
			return s, fmt.Errorf("the login %w", err)
		}
		s.Host, s.Username = name[i+1:], user
		_ = s.Password.UnmarshalText([]byte(password)) // takes any text
	}
	return s, checkHost(s.Host)
}

// addServer adds a server, or replaces the one of the same name.
func (im *importer) addServer(s smtpsend.Server) error {
	servers := &im.cfg.CallHome.MailServers
	for i := range *servers {
		if strings.EqualFold((*servers)[i].Host, s.Host) && (*servers)[i].Port == s.Port {
			(*servers)[i] = s
			return nil
		}
	}
	if most := im.limits.MailServers; len(*servers) >= most {
		return fmt.Errorf("there are %d mail servers already, and no more are allowed", most)
	}
	*servers = append(*servers, s)
	return nil
}

func (im *importer) dropServer(host string) {
	im.cfg.CallHome.MailServers = slices.DeleteFunc(im.cfg.CallHome.MailServers, func(s smtpsend.Server) bool { return strings.EqualFold(s.Host, host) })
}
