"""What a person can ask for, apart from the main flow: behind the commands, and behind pages when there are some.

Each takes the application, or files, and gives back facts or words; none parses options or prints.
"""
