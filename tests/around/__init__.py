"""What is delivered around the service: rules, boards, samples, images."""
