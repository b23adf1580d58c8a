using Runbooks.Notifications;

namespace Runbooks.Tests.Notifications;

/// <summary>Ada and Grace are on call, Linus leads, the room is read by Ada and Grace.</summary>
internal static class People
{
    public static readonly Recipient Ada = Person("ada", "U0ADA", "ada@example.com");
    public static readonly Recipient Grace = Person("grace", "U0GRACE", "grace@example.com");
    public static readonly Recipient Linus = Person("linus", "U0LINUS", "linus@example.com");
    public static readonly Recipient Room = new("ops-room", [new("test", "ops", "ops-room")]) { IsRoom = true, Members = ["ada", "grace"] };

    public static readonly ContactBook Book = new(
        [new("oncall", [Ada, Grace]), new("platform-lead", [Linus]), new("room", [Room]), new("both", [Ada, Room]), new(ContactBook.Fallback, [Linus])]);

    private static Recipient Person(string name, string slack, string signIn) => new(name, [new("test", name, name)])
    {
        Identities = [Identity.Slack(slack), Identity.SignIn(signIn)],
    };
}
