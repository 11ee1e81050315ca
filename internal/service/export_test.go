package service

// SetSend replaces the way to systemd.
func (s *Service) SetSend(send func(state string) (bool, error)) { s.send = send }

var Sentence = sentence
