"""The story of the demo company, Tōtara & Tide Limited of Nelson."""
