using System.Collections.Concurrent;
using Runbooks.Model.Incidents;

namespace TestKit.Incidents;

/// <summary>The outside world of a test: what checks find, what actions see and do.</summary>
public sealed class Script
{
    /// <summary>The verdict of each scripted check, by its <c>name</c> parameter; failing unless said otherwise.</summary>
    public ConcurrentDictionary<string, Verdict> Verdicts { get; } = new();

    /// <summary>Until when each scripted check has measured, by its <c>name</c> parameter; the moment when it is asked unless said otherwise.</summary>
    public ConcurrentDictionary<string, DateTimeOffset> Measured { get; } = new();

    /// <summary>Since when, where what a scripted check says is of a time, by its <c>name</c> parameter; a moment unless said otherwise.</summary>
    public ConcurrentDictionary<string, DateTimeOffset> MeasuredFrom { get; } = new();

    /// <summary>Why it shows less than it seems to when a scripted check passes, by its <c>name</c> parameter; nothing unless said otherwise.</summary>
    public ConcurrentDictionary<string, string> Caveats { get; } = new();

    /// <summary>Every check that was asked, by its name.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    /// <summary>Called when a check is asked, by its name.</summary>
    public Action<string> OnAsk { get; set; } = _ => { };

    /// <summary>The identity that an action sees, by its <c>name</c> parameter.</summary>
    public ConcurrentDictionary<string, string> Identities { get; } = new();

    /// <summary>Whether things are already as the step makes them.</summary>
    public Func<string, bool> IsSo { get; set; } = _ => false;

    /// <summary>Whether what a step did is left to a person when the rest is taken back.</summary>
    public Func<string, bool> Keeps { get; set; } = _ => false;

    /// <summary>What the identity lacks for an action, by the action's name; nothing unless said otherwise.</summary>
    public Func<string, string?> Lack { get; set; } = _ => null;

    /// <summary>Everything that touched the world, in order: <c>do fix</c>, <c>undo fix</c>.</summary>
    public ConcurrentQueue<string> Deeds { get; } = new();

    /// <summary>Thrown by an action, by its name, when it looks at what is there.</summary>
    public Func<string, Exception?> BeforeLooking { get; set; } = _ => null;

    /// <summary>Thrown by an action, by its name, before it touches anything; null to let it work.</summary>
    public Func<string, Exception?> BeforeActing { get; set; } = _ => null;

    /// <summary>Thrown by an action after it did what it does: the answer got lost.</summary>
    public Func<string, Exception?> AfterActing { get; set; } = _ => null;

    /// <summary>Thrown by an undo, by the action's name.</summary>
    public Func<string, Exception?> BeforeUndoing { get; set; } = _ => null;

    /// <summary>What an undo has come to, by the action's name.</summary>
    public Func<string, ActionResult> OnUndone { get; set; } = name => new($"Undid {name}.");

    /// <summary>What changes in the world when an action has run; by its name.</summary>
    public Action<string> OnDone { get; set; } = _ => { };

    public int Count(string deed) => Deeds.Count(done => done == deed);
}
