package influx

// AnswerOf is the error for an answer.
func AnswerOf(status int, body []byte) error {
	code, text := message(body)
	return &AnswerError{Status: status, Code: code, Message: text}
}
