package notify

import "callhome/server/casework"

// Called are the people whom an escalation calls, as recipients of its page: by short text where they have a pager.
func Called(people []casework.Person) []Recipient {
	var out []Recipient
	for _, p := range people {
		if p.Pager != "" {
			out = append(out, Recipient{Name: p.Name, Address: p.Pager, Pager: true})
			continue
		}
		out = append(out, Recipient{Name: p.Name, Address: p.Email})
	}
	return out
}

// TeamOf are those of a team who get its cases by mail: the team's address, or else each member's.
func TeamOf(cfg *casework.Config, team string) []Recipient {
	t, ok := cfg.Team(team)
	if !ok {
		return nil
	}
	if t.Email != "" {
		return []Recipient{{Name: t.Name, Address: t.Email}}
	}
	var out []Recipient
	for _, name := range t.Members {
		for _, p := range cfg.People {
			if p.Name == name && p.Email != "" {
				out = append(out, Recipient{Name: p.Name, Address: p.Email})
			}
		}
	}
	return out
}
