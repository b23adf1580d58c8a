using System.Globalization;

namespace TestKit;

/// <summary>How many random cases a test tries. Each run tries others, so a usual run tries few; by hand, and each week in CI, it tries more.</summary>
public static class Rounds
{
    /// <summary>How many times as many as usual.</summary>
    private const string Factor = "RANDOM_ROUNDS";

    /// <summary>What a test drew that failed: it says so.</summary>
    private const string Again = "RANDOM_SEED";

    /// <summary>Whatever is drawn comes from it. It goes into what the test says when it fails.</summary>
    public static int Seed() => int.TryParse(Environment.GetEnvironmentVariable(Again), CultureInfo.InvariantCulture, out var seed) ? seed : Random.Shared.Next();

    public static int Of(int usual) =>
        int.TryParse(Environment.GetEnvironmentVariable(Factor), CultureInfo.InvariantCulture, out var factor) ? usual * factor : usual;
}
