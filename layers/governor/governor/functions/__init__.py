"""What the Lambda functions do with an event: made once per process, used by every invocation."""
