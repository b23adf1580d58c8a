using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Runbooks.Tests.Orchestration.Model;

/// <summary>
/// What goes wrong in one case, and where. Each draw comes from the seed, the place that asks and how often it has asked
/// before, so that a case plays the same again whatever thread comes first.
/// </summary>
internal sealed class FaultPlan(int seed, int percent)
{
    private readonly ConcurrentDictionary<string, int> _draws = new();
    private readonly AsyncLocal<string?> _activity = new();

    /// <summary>From now on nothing goes wrong.</summary>
    public bool IsOver { get; set; }

    /// <summary>What follows in this flow of execution happens in the nth call of that activity.</summary>
    public void Enter(string activity) => _activity.Value = $"{activity} {Count(activity)}";

    public bool Strikes(string place) => !IsOver && Draw(place, 100) < percent;

    /// <summary>As above, and not more often in a row than this.</summary>
    public bool Strikes(string place, int mostInARow)
    {
        var here = $"{_activity.Value}/{place} in a row";
        var strikes = Strikes(place) && _draws.GetValueOrDefault(here) < mostInARow;
        _draws[here] = strikes ? _draws.GetValueOrDefault(here) + 1 : 0;
        return strikes;
    }

    public int Draw(string place, int below)
    {
        var here = $"{_activity.Value}/{place}";
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{seed}/{here}/{Count(here)}"));
        return (int)(BinaryPrimitives.ReadUInt32LittleEndian(hash) % below);
    }

    private int Count(string what) => _draws.AddOrUpdate(what, 1, (_, count) => count + 1);
}
