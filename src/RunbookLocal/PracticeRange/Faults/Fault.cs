using System.Globalization;
using System.Text.Json.Serialization;

namespace RunbookLocal.PracticeRange.Faults;

/// <summary>Something that goes wrong with the next requests to one API.</summary>
/// <param name="Api">The <see cref="PracticeApi.Name"/>.</param>
/// <param name="Kind"><c>slow</c>, <c>unreachable</c>, <c>lroFails</c>, or the status code to answer: <c>403</c>, <c>429</c>, <c>500</c> …</param>
internal sealed record Fault(string Api, string Kind)
{
    public const string Slow = "slow";
    public const string Unreachable = "unreachable";

    /// <summary>A long-running operation is accepted and fails later; the API itself looks for this one.</summary>
    public const string LroFails = "lroFails";

    /// <summary>How many requests it meets before it is over.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How many fitting requests pass unharmed before it begins.</summary>
    public int Skip { get; init; }

    /// <summary>Only requests whose <c>METHOD /path</c> contains this text; null for all that the API can fail.</summary>
    public string? On { get; init; }

    /// <summary>How long <c>slow</c> takes.</summary>
    public int Seconds { get; init; } = 30;

    [JsonIgnore]
    public int? Status => int.TryParse(Kind, NumberStyles.None, CultureInfo.InvariantCulture, out var status) ? status : null;

    [JsonIgnore]
    public string? Problem => this switch
    {
        { Kind: not (Slow or Unreachable or LroFails), Status: not (>= 400 and <= 599) } =>
            $"'kind' must be {Slow}, {Unreachable}, {LroFails} or a status code from 400 to 599; it is '{Kind}'.",
        { Count: < 1 } => "'count' must be at least 1.",
        { Skip: < 0 } => "'skip' must not be negative.",
        { Seconds: < 0 or > 3600 } => "'seconds' must be from 0 to 3600.",
        _ => null,
    };
}
