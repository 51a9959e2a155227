package smtpsend

import "callhome/deliver"

func permanent(err error) bool { return deliver.IsPermanent(err) }
