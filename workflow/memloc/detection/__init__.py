"""Detection before decoding: does the prefix alone show what a model recites (2403.19851, future work)?"""
