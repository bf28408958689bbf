"""What the commands of all experiments share."""
