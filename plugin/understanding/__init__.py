"""From a question to tool calls: normalise, recognise, slots, plan."""
