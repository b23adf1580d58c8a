using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Xunit;

namespace TestKit.Fuzz;

/// <summary>
/// Tries damaged inputs for a while: a moment in a usual run, <c>FUZZ_SECONDS</c> by hand. What breaks something is written to a file;
/// put into the folder <c>corpus</c> of its surface it is tried first in every run from then on. <c>FUZZ_SURFACE</c> gives the time to one.
/// </summary>
public static class Fuzzing
{
    private const string Seconds = "FUZZ_SECONDS", Seed = "FUZZ_SEED", Surface = "FUZZ_SURFACE";

    private static readonly TimeSpan s_usual = TimeSpan.FromMilliseconds(700);

    /// <summary>The longest that one input may take.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(10);

    /// <summary>What was found before, by surface.</summary>
    public static IReadOnlyList<byte[]> Corpus(string surface)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "corpus", surface);
        return Directory.Exists(folder) ? [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)] : [];
    }

    /// <param name="surface">The name of the folder of its corpus.</param>
    /// <param name="examples">What is damaged, beside the corpus.</param>
    /// <param name="attempt">Throws when what must always hold does not.</param>
    public static async Task RunAsync(string surface, IEnumerable<byte[]> examples, Func<byte[], Task> attempt)
    {
        var seed = Setting(Seed) ?? Random.Shared.Next();
        var isMeant = Environment.GetEnvironmentVariable(Surface) is not { Length: > 0 } one || one == surface;
        var lasting = isMeant && Setting(Seconds) is { } seconds ? TimeSpan.FromSeconds(seconds) : s_usual;
        IReadOnlyList<byte[]> corpus = [.. Corpus(surface), .. examples];
        foreach (var input in corpus)
        {
            await TryAsync(surface, seed, input, attempt);
        }

        var mutator = new Mutator(seed, corpus);
        var (clock, tried) = (Stopwatch.StartNew(), corpus.Count);
        for (; clock.Elapsed < lasting; tried++)
        {
            await TryAsync(surface, seed, mutator.Next(), attempt);
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{surface}: {tried} inputs in {clock.Elapsed.TotalSeconds:0.0} s, seed {seed}");
    }

    private static async Task TryAsync(string surface, int seed, byte[] input, Func<byte[], Task> attempt)
    {
        try
        {
            // What takes long once may have waited for the machine; what takes long each time is slow itself.
            var took = await TimeAsync(attempt, input);
            for (var again = 0; took > s_longest && again < 2; again++)
            {
                took = await TimeAsync(attempt, input);
            }

            Assert.True(took <= s_longest, $"It took {took}.");
        }
        catch (Exception broken)
        {
            var file = Path.Combine(Path.GetTempPath(), $"fuzz-{surface}-{Convert.ToHexStringLower(SHA256.HashData(input))[..12]}");
            await File.WriteAllBytesAsync(file, input);
            throw new InvalidOperationException($"{surface}, seed {seed}: {file} breaks it: {broken.Message}", broken);
        }
    }

    private static async Task<TimeSpan> TimeAsync(Func<byte[], Task> attempt, byte[] input)
    {
        var began = Stopwatch.GetTimestamp();
        await attempt(input);
        return Stopwatch.GetElapsedTime(began);
    }

    private static int? Setting(string name) => int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
