namespace Runbooks.Model.Definition;

public static class RunModes
{
    /// <summary>The stricter of two: a dry run touches nothing, whoever else would allow it.</summary>
    public static RunMode Stricter(RunMode a, RunMode b) => a > b ? a : b;
}
