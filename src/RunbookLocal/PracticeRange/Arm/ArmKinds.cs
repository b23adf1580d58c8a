namespace RunbookLocal.PracticeRange.Arm;

internal static class ArmKinds
{
    public static IServiceCollection AddArm(this IServiceCollection services) => services
        .AddSingleton<ArmOperations>()
        .AddSingleton<TrafficManagerKind>()
        .AddSingleton<FrontDoorKind>()
        .AddSingleton<Traffic.TrafficWorld>()
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<TrafficManagerKind>())
        .AddSingleton<ArmKind>(provider => provider.GetRequiredService<FrontDoorKind>())
        .AddSingleton<ArmKind, AlertKind>();
}
