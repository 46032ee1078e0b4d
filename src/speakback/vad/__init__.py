"""Voice activity: which frames are speech, and where speech starts and stops on the sample clock."""
