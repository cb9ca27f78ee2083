"""What members have agreed to and taken back: records that are added and never changed."""
