"""From what runs to the file that declares it: pure, and proven by the plan of that file."""
