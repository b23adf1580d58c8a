using Runbooks.Notifications;

namespace Runbooks.Tests.Notifications;

/// <summary>Ada and Grace are on call, Linus leads, the room is read by Ada and Grace.</summary>
internal static class People
{
    public const string GroupId = "aaaaaaaa-0000-0000-0000-00000000ffff";

    public static readonly Recipient Ada = Person("ada", "U0ADA", "ada@example.com");
    public static readonly Recipient Grace = Person("grace", "U0GRACE", "grace@example.com");
    public static readonly Recipient Linus = Person("linus", "U0LINUS", "linus@example.com");
    public static readonly Recipient Room = new("ops-room", [new("test", "ops", "ops-room")]) { IsRoom = true, Members = ["ada", "grace"] };

    public static readonly Recipient Group = new("group:ml", [new("test", "ml", "group:ml")]) { IsRoom = true, GroupId = GroupId };

    public static readonly ContactBook Book = new(
        [new("oncall", [Ada, Grace]), new("platform-lead", [Linus]), new("room", [Room]), new("both", [Ada, Room]), new("group:ml", [Group]), new(ContactBook.Fallback, [Linus])]);

    /// <summary>Whoever Entra says this is, in the groups that it names.</summary>
    public static SignedInPerson SignedIn(string name, params string[] groups) => new(IdOf(name), $"{name} by name") { Groups = groups };

    private static string IdOf(string name) => $"11111111-2222-3333-4444-555555555555/{name}";

    private static Recipient Person(string name, string slack, string signIn) => new(name, [new("test", name, name)])
    {
        Identities = [Identity.Slack(slack), Identity.SignIn(signIn), Identity.SignIn(IdOf(name))],
    };
}
