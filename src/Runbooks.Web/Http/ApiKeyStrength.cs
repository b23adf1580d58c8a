using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Runbooks.SignedLinks;
using Runbooks.Web.Access;

namespace Runbooks.Web.Http;

/// <summary>A key that can be guessed keeps a host from starting: whoever has it decides.</summary>
internal sealed class ApiKeyStrength(IHostEnvironment environment) : IValidateOptions<ApiKeyOptions>
{
    public const int ShortestKey = 24;

    /// <summary>Random keys of the shortest length have more, even ones of digits alone.</summary>
    private const int FewestDifferent = 6;

    /// <summary>A repetition counts as long as what it repeats.</summary>
    private const int ShortestPiece = 16;

    /// <summary>Words of placeholders and samples. A random key has none of them.</summary>
    private static readonly string[] s_placeholders =
        ["development", "practice", "sample", "example", "placeholder", "changeme", "change-me", "change_me", "password", "not-a-secret", "not-a-key", "your-api-key", "your-key"];

    public ValidateOptionsResult Validate(string? name, ApiKeyOptions options)
    {
        if (options.Keys.Concat(options.Named.Values.Select(named => named.Key)).Select(Weakness).FirstOrDefault(why => why is not null) is { } weakness)
        {
            return ValidateOptionsResult.Fail($"A key of the API (ApiKeys:Keys, ApiKeys:Named, or the file api-key of the data folder) can be guessed: {weakness}. Make one with: openssl rand -hex 32");
        }

        if (options.Named.FirstOrDefault(named => named.Value.Role == Role.None || !Enum.IsDefined(named.Value.Role)) is { Key: { } nothing })
        {
            return ValidateOptionsResult.Fail($"ApiKeys:Named:{nothing} has no role. Set its Role to Sender, Viewer, Operator or Admin.");
        }

        return options.All.Distinct().GroupBy(known => known.Key).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? ValidateOptionsResult.Fail($"{string.Join(" and ", twice.Select(known => known.Actor.Who))} are the same key of the API (section ApiKeys), so it has no one role. Make one for each with: openssl rand -hex 32")
            : ValidateOptionsResult.Success;
    }

    private string? Weakness(string key)
    {
        if (key.Length < ShortestKey)
        {
            return $"it has fewer than {ShortestKey} characters";
        }

        if (key.Distinct().Count() < FewestDifferent || Piece(key) < ShortestPiece)
        {
            return "it repeats the same few characters";
        }

        if (FollowsARow(key))
        {
            return "its characters follow one another";
        }

        return !environment.IsDevelopment() && s_placeholders.FirstOrDefault(word => key.Contains(word, StringComparison.OrdinalIgnoreCase)) is { } found
            ? $"it contains '{found}', as keys of samples do"
            : null;
    }

    /// <returns>How long the shortest piece is that makes the whole key when repeated, its end cut off.</returns>
    private static int Piece(string key) =>
        Enumerable.Range(1, key.Length).First(length => key.AsSpan(length).SequenceEqual(key.AsSpan(0, key.Length - length)));

    /// <summary>As abcdef, 987654 or aabbcc do, nearly throughout.</summary>
    private static bool FollowsARow(string key) =>
        key.Zip(key.Skip(1), (one, next) => Math.Abs(next - one)).Count(distance => distance <= 1) * 4 >= (key.Length - 1) * 3;
}

/// <summary>The sample's settings are public, and so is the key in them that signs links: with it anybody makes a link that decides.</summary>
internal sealed class PublishedLinkKey(IHostEnvironment environment) : IValidateOptions<LinkSigningOptions>
{
    private static readonly byte[] s_sample = "development-only-not-a-secret-at-all!"u8.ToArray();

    public ValidateOptionsResult Validate(string? name, LinkSigningOptions options) =>
        !environment.IsDevelopment() && options.Keys.FirstOrDefault(IsSample) is { } published
            ? ValidateOptionsResult.Fail($"LinkSigning:Keys: key '{published.Id}' is the one of the sample settings, which everybody knows. Make one with: openssl rand -base64 32")
            : ValidateOptionsResult.Success;

    private static bool IsSample(LinkSigningKey key)
    {
        var bytes = new byte[key.Secret.Length];
        return Convert.TryFromBase64String(key.Secret, bytes, out var length) && bytes.AsSpan(0, length).SequenceEqual(s_sample);
    }
}
