namespace TestKit;

/// <summary>How long a test waits for what has to come. Only a failure waits so long: no test is about how quick the machine is.</summary>
public static class Patience
{
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
}
